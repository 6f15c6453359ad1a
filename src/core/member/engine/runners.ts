import { EndingClock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { EventStream, ReaderWindow } from '../../ports/index.js';
import type { GroupLayoutRecord } from '../../protocol/layout-records.js';
import { commonStart, inheritedBy } from '../../protocol/partition-start.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { random } from '../../protocol/random.js';
import type { Closing, DeadOwners } from '../../protocol/records.js';
import type { CommitPolicy } from '../partition/commit-timer.js';
import type { RunnerActivity, RunnerStatus } from '../partition/contract.js';
import { SILENT } from '../partition/logger.js';
import type { PartitionEvents } from '../partition/partition-events.js';
import { PartitionState } from '../partition/partition-state.js';
import { PartitionRunner } from '../partition/runner.js';
import { committedIn, type Takeover, takeOver } from '../partition/takeover.js';
import { CallRules } from './call-rules.js';
import type { MemberPorts, MemberSettings } from './contract.js';
import { EndedRunners } from './ended-runners.js';

/** On average, a member sends at most one commit in this time. With many partitions, each is therefore committed less often. */
const COMMIT_EVERY_MS = 1;

const NOT_STARTED: RunnerStatus = {
  covered: 0,
  position: 0,
  committed: 0,
  handled: 0,
  lag: 0,
  trimmed: 0,
  caughtUp: false,
  state: 'starting',
};

/** The dependencies of the partitions of a member. */
export type RunnersPorts = Omit<MemberPorts, 'layout' | 'prober' | 'identities' | 'link' | 'cpuMs'>;

/** The partitions that a member handles. Each has at most one runner at a time, and all share one budget. */
export class Runners {
  readonly #settings: MemberSettings;
  /** Its timers end with the member. A handler that never settles, or a pause, must not keep the process running. */
  readonly #clock: EndingClock;
  #ports: RunnersPorts;
  #layout: GroupLayoutRecord | undefined;
  readonly #events: (partition: number, epoch: number) => PartitionEvents;
  /** The rules for the handler calls of all partitions. */
  readonly rules: CallRules;
  readonly #jitter: { random: number };
  readonly #commit: CommitPolicy;
  readonly #running = new Map<number, { epoch: number; runner: PartitionRunner }>();
  readonly #ended = new EndedRunners();
  readonly #states = new Map<number, PartitionState>();

  /** @param events creates the object that receives the events of a partition during one epoch. */
  constructor(
    settings: MemberSettings,
    ports: RunnersPorts,
    events: (partition: number, epoch: number) => PartitionEvents,
  ) {
    this.#settings = settings;
    this.#clock = new EndingClock(ports.clock);
    this.rules = new CallRules(settings, { clock: this.#clock, limit: ports.limit });
    this.#ports = { ...ports, clock: this.#clock, handler: this.rules.giveUps.guard(ports.handler) };
    this.#layout = settings.layout?.record;
    this.#events = events;
    this.#jitter = { random: settings.seed };
    const { intervalMs, every } = settings.runner.commit;
    const running = this.#running;
    this.#commit = {
      every,
      get intervalMs() {
        return Math.max(intervalMs, running.size * COMMIT_EVERY_MS);
      },
    };
  }

  /** The runner of a partition; undefined if there is none. */
  of(partition: number): PartitionRunner | undefined {
    return this.#running.get(partition)?.runner;
  }

  /** The current activity in a partition. */
  activity(partition: number): RunnerActivity {
    return this.of(partition)?.activity ?? { running: [] };
  }

  /** The status of a partition under this epoch. `isRunning` is true if it has a runner. */
  status(partition: number, epoch: number): { isRunning: boolean; status: RunnerStatus } {
    const running = this.#running.get(partition);
    if (running?.epoch === epoch) return { isRunning: true, status: running.runner.status };
    return { isRunning: false, status: this.#ended.of(partition, epoch)?.status ?? NOT_STARTED };
  }

  /**
   * Starts a runner as soon as all handlers of the previous runner have ended.
   *
   * @param died the dead owners whose deaths may have to be recorded in the position; null if there are none.
   */
  start(partition: number, epoch: number, died: DeadOwners | null = null): void {
    const takeover = this.#takeover(partition, epoch);
    // An operator's request to give up a message holds for one epoch only.
    if (!takeover.before) this.rules.giveUps.forget(partition);
    const runner = new PartitionRunner(
      { ...takeover, died },
      this.#window(1),
      { ...this.#settings.runner, commit: this.#commit },
      {
        ...this.#ports,
        ...this.rules,
        events: this.#events(partition, epoch),
        random: () => random(this.#jitter),
        logger: this.#ports.logger ?? SILENT,
        state: this.#stateOf(partition, epoch),
      },
    );
    this.#running.set(partition, { epoch, runner });
    this.#resizeAll();
    void runner.start(this.#ended.settled(partition));
  }

  #takeover(partition: number, epoch: number): Takeover {
    const { group, start } = this.#settings;
    const { partitionIn } = this.#ports;
    const before = this.#ended.of(partition, epoch);
    const inherited = this.#layout && partitionIn && inheritedBy(partition, this.#layout, partitionIn);
    const layout = this.#layout?.epoch ?? 0;
    const known = this.#ended.committed(partition);
    return { group, partition, epoch, layout, start, before, known, ...inherited };
  }

  /** The position that the drain of a partition has just committed; undefined if it committed nothing. */
  committedInDrain(partition: number, epoch: number): Omit<Closing, 'order'> | undefined {
    const ended = this.#ended.of(partition, epoch);
    if (!ended?.isCertain) return undefined;
    const { position, committed, mark, trimmed } = ended.status;
    return position === committed ? closingAt(committed, mark?.created, trimmed) : undefined;
  }

  /**
   * Confirms the position of a drained partition by taking it over again.
   *
   * @returns the position. If it is not certain yet: the reason as text. If no retry can help: an error.
   */
  async settle(partition: number, epoch: number): Promise<Omit<Closing, 'order'> | string | NatspocError> {
    const { maxCrashes } = this.#settings.runner;
    const ports = { ...this.#ports, maxCrashes, permit: this.rules.permit, isWanted: () => true };
    const taken = await takeOver(this.#takeover(partition, epoch), ports, () => {});
    if (taken.kind === 'taken') {
      return closingAt(taken.sequence, taken.mark.created, taken.trimmed);
    }
    if (taken.kind === 'failed') return taken.error;
    return taken.kind === 'fenced' ? 'a newer owner wrote the position' : taken.message;
  }

  /** Switches to the partitions of another layout. They are read through `stream`. */
  begin(layout: GroupLayoutRecord, stream: EventStream): void {
    for (const partition of [...this.#running.keys()]) this.remove(partition, 'the group was resized');
    this.#ended.begin();
    this.#layout = layout;
    this.#ports = { ...this.#ports, stream };
    // Opens the shared reader now, while this member claims its partitions.
    const after = commonStart(layout);
    if (after !== undefined) stream.shared?.prepare(after);
  }

  /**
   * Lets running handlers finish, commits, and removes the runner. If the runner has already failed, another runner commits what it handled
   * under this epoch.
   *
   * @returns false if the runner was aborted or failed before the end of the drain. Then the partition may already have another runner.
   */
  async drain(partition: number, epoch: number): Promise<boolean> {
    if (!this.#running.has(partition) && this.#ended.isOwing(partition, epoch)) this.start(partition, epoch);
    const running = this.#running.get(partition);
    if (running?.epoch === epoch) await running.runner.drain();
    if (this.#running.get(partition) !== running) return false;
    this.remove(partition, 'drained');
    return true;
  }

  /** Ends the runner of a lost partition, and aborts the signal of the program's state. */
  lose(partition: number, reason: string): void {
    this.#states.get(partition)?.lose(new Error(reason));
    this.#states.delete(partition);
    this.remove(partition, reason);
  }

  /** The state that the program keeps for a partition during one epoch. All runners of the epoch share this state. */
  #stateOf(partition: number, epoch: number): PartitionState | undefined {
    const { hooks, logger = SILENT } = this.#ports;
    if (!hooks) return undefined;
    const known = this.#states.get(partition);
    if (known?.epoch === epoch) return known;
    const state = new PartitionState(partition, epoch, hooks, logger);
    this.#states.set(partition, state);
    return state;
  }

  /** Ends a runner. The partition's next runner starts only after all handlers of this runner have ended. */
  remove(partition: number, reason: string): void {
    const removed = this.#running.get(partition);
    if (!removed) return;
    this.#running.delete(partition);
    this.#ended.add(partition, removed.epoch, removed.runner, reason);
    this.#resizeAll();
  }

  /** The position that this member last committed in a partition; sequence 0 if unknown. */
  committed(partition: number): PositionMark {
    const status = this.of(partition)?.status;
    return status && status.committed > 0 ? committedIn(status) : this.#ended.committed(partition);
  }

  /**
   * Forgets how far partitions were handled under their epochs. After the bucket has lost data, epochs can be reused. The committed
   * positions are kept.
   *
   * @param owned the partitions that this member owns now.
   * @returns the partitions whose positions may have to be written back. They include those of earlier calls, whose positions may not be
   *   written back yet.
   */
  forget(owned: readonly number[]): number[] {
    return this.#ended.forget(owned);
  }

  /** Aborts all running handlers because the member could not renew its proof of life. */
  interrupt(): void {
    for (const { runner } of this.#running.values()) runner.interrupt();
  }

  /** Stops everything immediately and for good. */
  end(): void {
    this.rules.permit.extendTo(Number.NEGATIVE_INFINITY);
    const reason = 'the member has ended';
    for (const { runner } of this.#running.values()) void runner.abort(reason);
    for (const state of this.#states.values()) state.lose(new Error(reason));
    this.#running.clear();
    this.#clock.end();
  }

  #window(more = 0): ReaderWindow {
    const { messages, bytes } = this.#settings.budget;
    const readers = Math.max(1, this.#running.size + more);
    return {
      messages: Math.max(1, Math.floor(messages / readers)),
      bytes: Math.max(1, Math.floor(bytes / readers)),
    };
  }

  #resizeAll(): void {
    const window = this.#window();
    for (const { runner } of this.#running.values()) runner.resize(window);
  }
}

const closingAt = (seq: number, created: number | undefined, trimmed: number): Omit<Closing, 'order'> => ({
  seq,
  ...(created !== undefined && { created }),
  ...(trimmed > 0 && { trimmed }),
});
