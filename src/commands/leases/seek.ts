import { connectionFlags } from '../../cli/base-command.js';
import { choosePartitions } from '../../cli/choose-partitions.js';
import { Args, Flags } from '../../cli/oclif.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import { operatorName } from '../../core/admin/operator.js';
import { type SeekOutcome, type SeekPorts, seekPositions } from '../../core/admin/seek.js';
import { parseSeekTarget, planSeek, type SeekStep, type SeekTarget } from '../../core/admin/seek-target.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import { NatsEventStream } from '../../core/nats/jetstream/event-stream.js';
import type { PositionMark } from '../../core/protocol/position-mark.js';
import { describeSeek, describeStep, seekConsequences } from '../../text/seek-report.js';

const CONCURRENT_PLANS = 8;

type Planner = Pick<SeekPorts, 'plan' | 'mark'>;

/** `natspoc leases seek`: a group goes on from another place. */
export default class LeasesSeek extends StreamCommand {
  static override summary = 'Move positions: skip messages, or have them handled again.';
  static override description = [
    '--to says where the group goes on: first (everything that is stored), last (only what comes), seq:N (with the message of that sequence in the stream), time:2026-01-31T08:00:00Z (with the first message stored then or later), -100 (the last 100 handled messages of each partition again), +100 (without the next 100), +0 (where it is: takes note of what the stream dropped).',
    'The owners drain and commit, the positions are moved by compare-and-set, the owners go on from there. Works on a group without members, too. Shows what it will do and asks for the name of the group; --force goes on without asking.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3 --to -100',
    {
      description: 'Everything since a deployment again:',
      command: '<%= config.bin %> <%= command.id %> --all --to time:2026-01-31T08:00:00Z --dry-run',
    },
  ];
  static override strict = false;
  static override args = {
    partition: Args.string({ description: 'partitions: 3, 0-3', name: 'PARTITION...' }),
  };
  static override flags = {
    all: Flags.boolean({ description: 'every partition' }),
    to: Flags.string({
      description: 'where the group goes on',
      helpValue: 'first|last|seq:N|time:ISO|-N|+N',
      required: true,
    }),
    'dry-run': Flags.boolean({ description: 'only say what would be done' }),
    force: Flags.boolean({ description: 'do not ask' }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesSeek);
    const target = parseSeekTarget(flags.to);
    const signal = this.stopSignal();
    await this.withStream(flags, 'leases seek', async (session) => {
      const request = { named: argv.map(String), all: flags.all };
      const partitions = choosePartitions(request, session.topology.layout.partitions, undefined);
      const planner = await this.#planner(session, target);
      const steps = await this.#plan(session, partitions, planner);
      if (flags['dry-run']) {
        if (flags.json) this.writeJson({ dryRun: true, partitions: steps });
        else this.writeLines(steps.map(describeStep));
        return;
      }
      const { config, topology, observer } = session;
      const consequences = seekConsequences(config.group, steps);
      await this.confirm({ consequences, name: config.group, force: flags.force });
      const outcomes = await this.withFollower(session, (follower) =>
        seekPositions(
          {
            observer,
            follower,
            bucket: topology.bucket,
            group: config.group,
            by: operatorName(),
            ...planner,
            waitMs: config.drainTimeoutMs + config.timeoutMs,
            signal,
          },
          partitions,
        ),
      );
      this.#report(outcomes, flags.json);
    });
  }

  /** Where a position is to go, by the stream as it is now. */
  async #planner({ topology, observer }: StreamSession, target: SeekTarget): Promise<Planner> {
    const events = new NatsEventStream(topology, topology.stream, topology.layout.prefix);
    const sequenceAt = async (time: Date) => {
      const found = await events.sequenceAt(time);
      if (found.kind === 'failed') throw found.error;
      return found.kind === 'ok' ? found.sequence : undefined;
    };
    const stream = await observer.stream();
    const source = { observer, stream, sequenceAt };
    return {
      plan: (partition, position) => planSeek(source, partition, position, target),
      mark: async (sequence) => {
        const stored = sequence > 0 ? await observer.storedTime(sequence) : undefined;
        return { sequence, created: stream.createdAtMs, stored };
      },
    };
  }

  async #plan(
    { observer }: StreamSession,
    partitions: readonly number[],
    { plan }: Planner,
  ): Promise<SeekStep[]> {
    const facts = await observer.positions();
    const positions = new Map<number, PositionMark | 'unreadable'>(
      facts.map((each) => [each.partition, each.unreadable ? 'unreadable' : each]),
    );
    return mapConcurrently(partitions, CONCURRENT_PLANS, (partition) =>
      plan(partition, positions.get(partition) ?? null),
    );
  }

  #report(outcomes: readonly SeekOutcome[], json: boolean): void {
    const failed = outcomes.filter(({ moved }) => !moved);
    if (json) {
      this.writeJson({ partitions: outcomes });
      process.exitCode = failed.length > 0 ? 1 : 0;
      return;
    }
    this.writeLines(outcomes.filter(({ moved }) => moved).map(describeSeek));
    if (failed.length > 0) throw new NatspocError('failed', `${failed.map(describeSeek).join('; ')}.`);
  }
}
