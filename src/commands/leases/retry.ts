import { connectionFlags } from '../../cli/base-command.js';
import { allFlag, choosePartitions, partitionArgs } from '../../cli/choose-partitions.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { HeldUpOutcome } from '../../core/admin/held-up.js';
import { NatspocError } from '../../core/lib/errors.js';
import { describeHeldUpOutcome } from '../../text/held-up-report.js';

/** `natspoc leases retry`: retries failed messages immediately, and restarts halted partitions. */
export default class LeasesRetry extends StreamCommand {
  static override summary =
    'Immediately retry a failed message that holds up its partition, or restart a halted partition.';
  static override description =
    'The owner does not wait any longer before the next attempt. A halted partition starts again at its position, and the failed message gets all its attempts again. Other partitions are not affected. "leases" shows why a partition is held up.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 4',
    {
      description: 'All partitions, for example after an outage of a database:',
      command: '<%= config.bin %> <%= command.id %> --all',
    },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = { all: allFlag, ...connectionFlags };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesRetry);
    const outcomes = await this.withGroup(flags, 'leases retry', ({ stream, group }) =>
      group.following((follower) => {
        const request = { named: argv.map(String), all: flags.all };
        return group.retry(follower, choosePartitions(request, stream.layout.partitions, undefined));
      }),
    );
    this.#report(outcomes, flags);
  }

  #report(outcomes: readonly HeldUpOutcome[], { json, all }: { json: boolean; all: boolean }): void {
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
    const done = outcomes.filter(({ outcome }) => outcome === 'retried' || (!all && outcome === 'unchanged'));
    if (json) this.writeJson({ partitions: outcomes });
    else if (done.length === 0 && failed.length === 0) this.writeLines(['Nothing holds any partition up.']);
    else this.writeLines(done.map(describeHeldUpOutcome));
    if (failed.length === 0) return;
    const code = failed.some(({ denied }) => denied) ? 'not-permitted' : 'failed';
    const error = new NatspocError(code, `${failed.map(describeHeldUpOutcome).join('; ')}.`);
    if (!json) throw error;
    process.exitCode = error.exitCode;
  }
}
