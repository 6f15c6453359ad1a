import type { NatspocError } from '../../lib/errors.js';
import type { Coverage } from '../../ports/index.js';
import type { Crashes } from '../../protocol/crashes.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { type CommitPolicy, CommitTimer } from './commit-timer.js';
import type { StopConsuming } from './handler.js';
import type { PartitionEvents } from './partition-events.js';
import { PositionDraft, type PositionTaken } from './position-draft.js';
import {
  type OwnPosition,
  PositionWriter,
  type PositionWriterPorts,
  type PositionWritten,
} from './position-writer.js';

/** The dependencies of a committer. */
export interface CommitterPorts extends PositionWriterPorts {
  events: Pick<PartitionEvents, 'committed'>;
}

/** The functions that are called when a committer ends, one for each reason. */
interface CommitterEnd {
  /** A newer owner has written the position. */
  fenced(): void;
  /** The position no longer exists. */
  vanished(): void;
  /** A seek moved the position under our epoch. This owner must start again from there. */
  moved(): void;
  /** The partition may have lost messages that come before handled messages. */
  doubted(reason: string): void;
  failed(error: NatspocError): void;
  /** The barrier was rejected. */
  unsafe(error: StopConsuming): void;
}

/** Moves one partition's position forward as messages are handled, with at most one write in flight. */
export class Committer {
  /** While the position records deaths, this owner starts at most this many messages beyond its committed position. */
  readonly lead: number;
  readonly #policy: CommitPolicy;
  readonly #timer: CommitTimer;
  readonly #writer: PositionWriter;
  readonly #deps: CommitterPorts;
  readonly #over: CommitterEnd;
  readonly #draft: PositionDraft;
  /** When the last confirmed write was sent. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #writing = false;
  #ended = false;
  readonly #last: Promise<void>;
  #isLast: () => void = () => {};
  #idle: (() => void)[] = [];

  /** `at` is the position that this owner has just written. */
  constructor(
    at: OwnPosition & PositionTaken & { lead: number },
    policy: CommitPolicy,
    deps: CommitterPorts,
    over: CommitterEnd,
  ) {
    this.lead = at.lead;
    this.#draft = new PositionDraft(at);
    this.#policy = policy;
    this.#timer = new CommitTimer(policy, deps.clock, () => void this.#write());
    this.#writer = new PositionWriter(at, deps);
    this.#last = new Promise((resolve) => {
      this.#isLast = resolve;
    });
    this.#deps = deps;
    this.#over = over;
  }

  /** The last committed stream sequence. */
  get committed(): number {
    return this.#draft.committed;
  }

  /** The last handled stream sequence, committed or not. */
  get handledUpTo(): number {
    return this.#draft.handled.sequence;
  }

  /** The mark of the last handled position. */
  get mark(): PositionMark {
    return this.#draft.handled.mark;
  }

  /** Sets the creation time of the stream that is handled from now on. */
  madeOn(created: number | undefined): void {
    this.#draft.handled.madeOn(created);
  }

  /** Counts messages as handled that an earlier runner of this epoch had handled but not committed. */
  resume(): void {
    this.#draft.resume();
    this.#advance(1, true);
  }

  /**
   * Records that everything up to `message` is handled. `messages` is the number of messages handled since the last call. `idle` means that
   * no more messages wait.
   */
  handled(message: StreamMessage, messages: number, idle: boolean): void {
    this.#draft.handled.passed(message);
    this.#draft.crashes.handled(messages, idle);
    this.#advance(messages, idle);
  }

  /** Records that the partition has no message between the last handled message and this sequence. */
  follow(coverage: Coverage): void {
    if (coverage.sequence <= this.#draft.handled.sequence) return;
    this.#draft.handled.covered(coverage);
    this.#advance(0, false);
  }

  /**
   * Commits the handled messages, and records that this message will be tried. If this process dies, the next owner knows which message
   * was being tried. Resolves with false if the committer has ended.
   */
  async trying(sequence: number): Promise<boolean> {
    this.#draft.crashes.trying(sequence);
    await this.#untilWritten();
    return !this.#ended;
  }

  /** Commits the handled messages, and records that no message is being tried. */
  async tried(): Promise<void> {
    this.#draft.crashes.trying(0);
    await this.#untilWritten();
  }

  /** Sets the deaths that the next owner reads from the position. */
  crashed(crashes: Crashes): void {
    this.#draft.crashes.set(crashes);
  }

  /** Number of dropped messages that the position does not record yet. */
  get uncounted(): number {
    return this.#draft.uncounted;
  }

  /** True while the position records deaths of owners. */
  get countsDeaths(): boolean {
    return this.#draft.crashes.isCounting;
  }

  /** Calls back after the next write, unless the committer has ended. */
  whenWritten(resume: () => void): void {
    this.#idle.push(() => {
      if (!this.#ended) resume();
    });
  }

  get #every(): number {
    return this.countsDeaths ? Math.min(this.lead / 2, this.#policy.every) : this.#policy.every;
  }

  #advance(messages: number, idle: boolean): void {
    this.#draft.messages += messages;
    if (this.#writing) return;
    if (this.#draft.messages >= this.#every) void this.#write();
    else this.#timer.schedule(idle);
  }

  /** Sets the total number of messages that the stream dropped. The next commit records the number in the position. */
  trimmed(messages: number): void {
    this.#draft.trimmed = messages;
    if (!this.#writing && !this.#ended) this.#timer.schedule(false);
  }

  /** Checks that the position still exists. If the position does not exist, the committer ends. */
  async look(): Promise<void> {
    const isThere = await this.#writer.isThere();
    if (isThere || this.#ended || this.#writing) return;
    this.end();
    this.#over.vanished();
  }

  /**
   * Commits the handled messages. Resolves with true only if a write that was sent after this call confirms the position. Gives up after
   * `withinMs`.
   */
  async flush(withinMs: number): Promise<boolean> {
    this.#isLast();
    const startedAt = this.#deps.clock.now();
    const cancel = this.#deps.clock.at(startedAt + withinMs, () => this.end());
    await this.#untilWritten();
    cancel();
    this.end();
    return !this.#draft.isAhead && this.#confirmedAt >= startedAt;
  }

  /** Starts no more writes. */
  end(): void {
    this.#ended = true;
    this.#timer.cancel();
    this.#wakeIdle();
  }

  async #untilWritten(): Promise<void> {
    while (!this.#ended && this.#draft.isAhead) {
      if (!this.#writing) void this.#write();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  async #write(): Promise<void> {
    this.#timer.cancel();
    if (this.#writing) return;
    this.#writing = true;
    while (this.#draft.isAhead && !this.#ended) {
      if (!this.#deps.permit.isOpen) {
        await new Promise<void>((resolve) => {
          this.#idle.push(resolve);
          this.#deps.permit.whenOpen(resolve);
        });
        continue;
      }
      await this.#writeOnce();
      if (this.#draft.messages < this.#every && !this.#ended && this.#draft.isAhead) break;
    }
    this.#writing = false;
    if (this.#draft.isAhead && !this.#ended) this.#timer.schedule(false);
    this.#wakeIdle();
  }

  async #writeOnce(): Promise<void> {
    const { state, messages, trimmed, crashes } = this.#draft;
    const { version } = crashes;
    this.#timer.started();
    // If a loss is found before the write is sent, the write is prepared again to include it.
    const isStale = (): boolean => this.#ended || this.#draft.trimmed > trimmed;
    const written = await this.#writer.write(state, isStale, this.#last);
    if (written.kind === 'ok') {
      this.#done(written, messages);
      if (written.state === state) crashes.kept(version);
    } else if (!this.#ended && written.kind !== 'again') this.#end(written);
  }

  #done({ state, sentAt }: PositionWritten & { kind: 'ok' }, messages: number): void {
    this.#confirmedAt = sentAt;
    this.#draft.written(state, messages);
    if (!this.#ended) this.#deps.events.committed?.(state.seq, this.#deps.clock.now() - sentAt);
  }

  #end(why: Exclude<PositionWritten, { kind: 'ok' | 'again' }>): void {
    this.end();
    if (why.kind === 'doubted') this.#over.doubted(why.reason);
    else if (why.kind === 'failed') this.#over.failed(why.error);
    else if (why.kind === 'unsafe') this.#over.unsafe(why.error);
    else this.#over[why.kind]();
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resume of idle) resume();
  }
}
