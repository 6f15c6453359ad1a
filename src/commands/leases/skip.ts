import { connectionFlags } from '../../cli/base-command.js';
import { parsePartitions } from '../../cli/choose-partitions.js';
import { forceFlag } from '../../cli/flag.js';
import { Args, Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { HeldUpOutcome } from '../../core/admin/held-up.js';
import { NatspocError } from '../../core/lib/errors.js';
import { describeHeldUpOutcome } from '../../text/held-up-report.js';

/** `natspoc leases skip`: skips the message that holds up a partition. */
export default class LeasesSkip extends StreamCommand {
  static override summary =
    'Give up the message that holds up a partition; the partition continues after that message.';
  static override description = [
    'Works only for a message that has failed, or whose handler hangs; "leases" shows its sequence. You must name the message, so that no other message is given up. The message is not tried again. With --dead-letter it is first stored as a dead letter; otherwise only the stream keeps it. A running attempt is not interrupted: if the attempt succeeds, the message is handled. But an attempt without progress for 10 s is ended as by --handler-timeout: its signal is aborted, and its result no longer counts.',
    'The command waits until the partition has passed the message. It asks for the name of the group; --yes skips the question.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> 4 --message 95887',
    {
      description: 'Store the message as a dead letter, without a question:',
      command: '<%= config.bin %> <%= command.id %> 4 --message 95887 --dead-letter --yes',
    },
  ];
  static override args = {
    partition: Args.string({ description: 'the partition', name: 'PARTITION', required: true }),
  };
  static override flags = {
    message: Flags.integer({
      description: 'sequence of the message in the stream',
      min: 1,
      helpValue: 'SEQUENCE',
      required: true,
    }),
    'dead-letter': Flags.boolean({ description: 'store the message as a dead letter' }),
    force: forceFlag,
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(LeasesSkip);
    const { message: sequence, force } = flags;
    const deadLetter = flags['dead-letter'] === true;
    const signal = this.stopSignal();
    const outcome = await this.withGroup(flags, 'leases skip', async ({ stream, group }) => {
      const [partition, ...more] = parsePartitions([args.partition], stream.layout.partitions);
      if (partition === undefined || more.length > 0)
        throw new NatspocError(
          'usage',
          'Give exactly one partition: a message holds up only its own partition.',
        );
      const fate = deadLetter ? 'would be stored as a dead letter' : 'would never be handled by this group';
      const consequences = [`Message ${sequence} of p${partition} ${fate}.`];
      return group.following(async (follower) => {
        const refused = force ? undefined : await group.refuseSkip(follower, { partition, sequence });
        if (refused) return refused;
        await this.confirm({ consequences, name: group.name, force });
        return group.skip(follower, { partition, sequence, deadLetter }, signal);
      });
    });
    this.#report(outcome, sequence, flags.json);
  }

  #report(outcome: HeldUpOutcome, sequence: number, json: boolean): void {
    const isDone = outcome.outcome === 'skipped' || outcome.outcome === 'dead-letter';
    if (json) this.writeJson({ ...outcome, sequence });
    else if (isDone) this.writeLines([describeHeldUpOutcome(outcome)]);
    if (isDone) return;
    const code = outcome.denied ? 'not-permitted' : 'failed';
    const error = new NatspocError(code, `${describeHeldUpOutcome(outcome)}.`);
    if (!json) throw error;
    process.exitCode = error.exitCode;
  }
}
