import { sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Confirmation, ReaderWindow, Trimmed } from '../../ports/index.js';
import { carriedOver } from '../../protocol/crashes.js';
import { readerName } from '../../protocol/reader-name.js';
import { readCleared } from './cleared.js';
import { Committer } from './committer.js';
import type { RunnerPorts, RunnerSettings } from './contract.js';
import type { StopConsuming } from './handler.js';
import { shortLead } from './lead.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionReaderEvents } from './reader-contract.js';
import { TrimWatch } from './stream-losses.js';
import { continues, type LossesLeft, type Taken, type Takeover, takeOver } from './takeover.js';

/** Delay before a drain tries again to take the position over, in milliseconds. */
const TAKE_RETRY_MS = 250;

/**
 * How long the last commit of a drain may take, in milliseconds. A cluster needs less time to elect a leader of the bucket. If the
 * partition moves without its last commit, the next owner starts at the previous commit.
 */
const FLUSH_MS = 15_000;

/** Receives the events of {@link Taking}. */
export interface TakingEvents {
  /** `running`: handle the partition; `draining`: only commit the messages that were handled before. */
  phase(): 'running' | 'draining' | 'ended';
  /** This member owns the position, so commits are possible even before a reader exists. */
  held(committer: Committer, taken: Taken): void;
  /** A temporary failure. */
  failed(message: string): void;
  /** The partition may have lost messages that come before handled, uncommitted messages. */
  mistrusted(reason: string): void;
  /** A loss is counted, so the position is allowed to pass the lost messages. */
  lost(): void;
  /** The position cannot be decoded, and an operator has to act. */
  unreadable(message: string): void;
  /** A failure that no retry can fix. */
  terminal(error: NatspocError): void;
  /** The barrier was rejected, so the handled messages can never be committed. */
  unsafe(error: StopConsuming): void;
}

/**
 * Takes over a partition's position. Creates the committer and the reader that continue from there. Counts the messages that the stream
 * dropped before they were received.
 */
export class Taking {
  readonly #takeover: Takeover;
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #events: TakingEvents;
  /** Resolves when the previous runner of the partition has ended. */
  #after: Promise<void> = Promise.resolve();
  #committer: Committer | undefined;
  #reader: PartitionReader | undefined;
  /** Detects messages that the stream drops; undefined if the stream's readers report them. */
  #trimWatch: TrimWatch | undefined;
  #trimmed = 0;
  #isCertain = false;
  #result: Promise<Taken | undefined> | undefined;
  /** Called when the takeover of the position has succeeded or failed. */
  #held: (() => void) | undefined;

  constructor(takeover: Takeover, settings: RunnerSettings, ports: RunnerPorts, events: TakingEvents) {
    this.#takeover = takeover;
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
  }

  /**
   * Starts the takeover after `after` has resolved. Resolves with undefined after a reported failure, or if the takeover is no longer
   * wanted.
   */
  start(after: Promise<void>): Promise<Taken | undefined> {
    this.#after = after;
    this.#result = this.#take();
    return this.#result;
  }

  /** Creates the reader that starts after the position. */
  reader(
    { mark, reader, tags }: Taken,
    window: ReaderWindow,
    waiting: () => number,
    events: Pick<PartitionReaderEvents, 'message' | 'opened' | 'rests'>,
  ): PartitionReader {
    const { group, partition, epoch, isHandled } = this.#takeover;
    const { failed, mistrusted, terminal } = this.#events;
    this.#reader = new PartitionReader(
      mark,
      window,
      {
        ...this.#ports,
        partition,
        name: readerName(group, partition, epoch, reader),
        trimWatch: this.#trimWatch,
        // For batches, the reader fetches enough messages for the current batch and the next batch.
        concurrency: typeof this.#ports.handler === 'function' ? this.#atOnce : 2 * this.#atOnce,
        isHandled: tags.sought ? undefined : isHandled,
        progress: { waiting, handledUpTo: () => this.#committer?.handledUpTo ?? 0 },
      },
      { ...events, failed, mistrusted, terminal, trimmed: (trimmed) => this.#lose(trimmed) },
    );
    return this.#reader;
  }

  /** The maximum number of messages that handlers may handle at the same time. */
  get #atOnce(): number {
    const { handler } = this.#ports;
    return typeof handler === 'function' ? (this.#settings.concurrency ?? 1) : handler.limits.messages;
  }

  /** Upper bound on the number of messages that the stream dropped. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** The state of the search for lost messages. If this object has taken over nothing, returns the state of the previous runner. */
  get losses(): LossesLeft {
    const before = this.#takeover.before?.losses;
    return {
      state: this.#trimWatch?.state ?? before?.state,
      uncounted: this.#committer?.uncounted ?? before?.uncounted ?? 0,
    };
  }

  /**
   * True if the last commit of a drain has succeeded. The stored position is then the committed position, unless a seek has moved it since.
   */
  get isCertain(): boolean {
    return this.#isCertain;
  }

  /** Commits the messages that this runner or the previous runner handled under this epoch, within {@link FLUSH_MS}. */
  async commitLast(): Promise<void> {
    const { clock } = this.#ports;
    const deadline = clock.now() + FLUSH_MS;
    await this.#after;
    if (this.#owes) await this.#heldUntil(deadline);
    if (this.#events.phase() !== 'ended')
      this.#isCertain = (await this.#committer?.flush(deadline - clock.now())) ?? false;
  }

  /** True if the previous runner of this epoch left handled messages uncommitted, and this runner has not taken over yet. */
  get #owes(): boolean {
    const before = this.#takeover.before?.status;
    return !this.#committer && before !== undefined && before.position > before.committed;
  }

  /** Resolves when the takeover of the position has succeeded or failed, or at the deadline. */
  async #heldUntil(deadline: number): Promise<void> {
    const { clock } = this.#ports;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(deadline, resolve);
      this.#held = () => {
        cancel();
        resolve();
      };
      void this.#result?.then(this.#held);
    });
  }

  async #take(): Promise<Taken | undefined> {
    const { maxCrashes } = this.#settings;
    const ports = { ...this.#ports, maxCrashes, isWanted: () => this.#isWanted };
    await this.#after;
    while (this.#isWanted) {
      const taken = await takeOver(this.#takeover, ports, (position) => this.#hold(position));
      if (!this.#isWanted) return undefined;
      if (taken.kind === 'taken') return taken;
      if (taken.kind === 'unknown' && this.#events.phase() === 'draining') {
        // If all attempts fail, the partition moves without the last commit.
        await sleep(this.#ports.clock, TAKE_RETRY_MS);
        continue;
      }
      if (taken.kind === 'failed') this.#events.terminal(taken.error);
      else if (taken.kind === 'unreadable') this.#events.unreadable(taken.message);
      else this.#events.failed(taken.kind === 'fenced' ? 'a newer owner wrote the position' : taken.message);
    }
    return undefined;
  }

  #hold(taken: Taken): void {
    if (!this.#isWanted) return;
    const { partition, epoch, group, before } = this.#takeover;
    const events = this.#events;
    const left = continues(before?.status, taken.sequence) ? before?.losses : undefined;
    this.#trimWatch = this.#watchFor(taken, left);
    const carried = carriedOver(taken.crashes, taken.sequence, this.#settings.maxCrashes);
    this.#committer = new Committer(
      { group, partition, epoch, ...taken, carried, lead: shortLead(this.#atOnce) },
      this.#settings.commit,
      { ...this.#ports, confirm: this.#confirming() },
      {
        fenced: () => events.failed('a newer owner has taken over'),
        vanished: () => events.failed('its position is gone'),
        moved: () => events.failed('its position was moved'),
        doubted: (reason) => events.mistrusted(reason),
        failed: (error) => events.terminal(error),
        unsafe: (error) => events.unsafe(error),
      },
    );
    this.#trimmed = taken.trimmed;
    if (left?.uncounted) this.#count(left.uncounted);
    events.held(this.#committer, taken);
    if (taken.resumed > taken.sequence) this.#committer.resume();
    this.#held?.();
  }

  #watchFor({ resumed }: Taken, left: LossesLeft | undefined): TrimWatch | undefined {
    const { group, partition, start } = this.#takeover;
    const { bucket, clock, stream } = this.#ports;
    if (stream.shared) return undefined;
    // If the group starts at this position, missing messages are no loss. They may have been dropped before the group started.
    const lostFrom = start === 'unreadable' || resumed > start.seq ? 0 : (start.end ?? start.seq);
    return new TrimWatch(
      resumed,
      lostFrom,
      {
        clock,
        stream,
        reading: () => ({
          received: this.#reader?.received ?? resumed,
          waiting: this.#reader?.pending ?? 0,
          isResting: this.#reader?.isResting ?? false,
        }),
        replace: () => this.#reader?.replace(),
        recount: async () => (await this.#reader?.recount()) ?? false,
        cleared: () => readCleared(bucket, group, partition),
        trimmed: (trimmed) => this.#lose(trimmed),
      },
      left?.state,
    );
  }

  #lose(trimmed: Trimmed): void {
    this.#count(trimmed.atMost);
    this.#events.lost();
    this.#ports.events.trimmed?.(trimmed);
  }

  #count(messages: number): void {
    this.#trimmed += messages;
    this.#committer?.trimmed(this.#trimmed);
  }

  /** Returns the check that runs before each commit. The check prevents the position from passing an unreported loss. */
  #confirming(): () => Promise<Confirmation> {
    const { shared } = this.#ports.stream;
    const isUrgent = (): boolean => this.#events.phase() === 'draining';
    if (shared) return () => shared.confirm(this.#takeover.partition, isUrgent());
    return async () => ((await this.#trimWatch?.settle()) === false ? 'unknown' : 'confirmed');
  }

  /** A drain needs the position only if there is something to commit. */
  get #isWanted(): boolean {
    const phase = this.#events.phase();
    return phase === 'running' || (phase === 'draining' && this.#owes);
  }
}
