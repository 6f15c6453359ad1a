import { type Clock, sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, Coverage, EventStream } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import type { StreamMessage } from '../../protocol/message.js';
import type { PositionMark } from '../../protocol/position-mark.js';
import { decodePosition, encodeRecord, RECORD_VERSION } from '../../protocol/records.js';
import { StopConsuming } from './handler.js';
import type { PartitionEvents } from './partition-events.js';
import type { Permit } from './permit.js';

/** How long to wait before reading the position back after an unknown outcome. */
const RETRY_MS = 100;

/** When positions are committed. */
export interface CommitPolicy {
  /** Interval while busy, milliseconds. */
  readonly intervalMs: number;
  /** Also commit after this many messages. */
  readonly every: number;
}

/** What a committer works with. */
export interface CommitterPorts {
  events: Pick<PartitionEvents, 'committed'>;
  bucket: Bucket;
  /** What was read is confirmed before it is committed, where the reader alone cannot tell. */
  stream?: Pick<EventStream, 'shared'> | undefined;
  clock: Clock;
  permit: Permit;
  /**
   * Resolves when the effects of all messages handled so far are safe; undefined if there is nothing to wait for. If it
   * rejects, nothing more is committed, and the member leaves with that error.
   */
  barrier?: (() => Promise<void> | undefined) | undefined;
}

/** Why a committer ends. */
interface CommitterEnd {
  /** A newer owner has written the position. */
  fenced(): void;
  /** The position no longer exists. */
  vanished(): void;
  /** A seek moved it under our epoch: this owner must restart from there. */
  moved(): void;
  /** Messages may be missing before what was handled. */
  doubted(reason: string): void;
  failed(error: NatspocError): void;
  /** The barrier was rejected. */
  unsafe(error: StopConsuming): void;
}

/**
 * Moves one partition's position forward under its owner's epoch, by compare-and-set, with at most one write in flight.
 * An unknown outcome is resolved by reading back: our epoch with a sequence that we sent means that the write was
 * applied.
 */
export class Committer {
  readonly #key: string;
  readonly #partition: number;
  readonly #epoch: number;
  readonly #reader: string;
  readonly #policy: CommitPolicy;
  readonly #deps: CommitterPorts;
  readonly #over: CommitterEnd;
  #revision: number;
  #committed: number;
  #handled: number;
  #handledSince = 0;
  /** Messages that the stream dropped, and how many of them the position records. */
  #trimmed: number;
  #trimmedKept: number;
  readonly #resumed: number;
  /** Sequences sent since the last confirmed commit: any of them may have been applied. */
  readonly #sent = new Set<number>();
  /** When the stream was created, and when it stored the last handled message. */
  #created: number | undefined;
  #stored: number | undefined;
  #message: StreamMessage | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #writing = false;
  #ended = false;
  #cancelTimer: (() => void) | undefined;
  #idle: (() => void)[] = [];

  /**
   * `revision`, `sequence`, `reader` and `trimmed` are those of the position that this owner has just written. `mark`
   * describes what this owner had handled.
   */
  constructor(
    at: {
      group: string;
      partition: number;
      epoch: number;
      revision: number;
      sequence: number;
      reader: string;
      trimmed?: number;
      mark: PositionMark;
    },
    policy: CommitPolicy,
    deps: CommitterPorts,
    over: CommitterEnd,
  ) {
    this.#key = keys.position(at.group, at.partition);
    this.#partition = at.partition;
    this.#epoch = at.epoch;
    this.#reader = at.reader;
    this.#revision = at.revision;
    this.#committed = at.sequence;
    this.#handled = at.sequence;
    this.#trimmed = at.trimmed ?? 0;
    this.#trimmedKept = this.#trimmed;
    this.#resumed = at.mark.sequence;
    this.#created = at.mark.created;
    this.#stored = at.mark.stored;
    this.#policy = policy;
    this.#deps = deps;
    this.#over = over;
  }

  /** The last committed stream sequence. */
  get committed(): number {
    return this.#committed;
  }

  /** The last handled stream sequence, committed or not. */
  get handledUpTo(): number {
    return this.#handled;
  }

  /** The mark of the last handled position. */
  get mark(): PositionMark {
    const stored = this.#message ? Math.floor(this.#message.timestampMs) : this.#stored;
    return { sequence: this.#handled, created: this.#created, stored };
  }

  /** Sets the creation time of the stream that is handled from now on. */
  madeOn(created: number | undefined): void {
    this.#created = created;
  }

  /** Counts as handled what this owner had handled and not committed. */
  resume(): void {
    this.#advance(this.#resumed, 1, true);
  }

  /** Everything up to `message` is handled, `messages` more than before. `idle`: no more messages wait. */
  handled(message: StreamMessage, messages: number, idle: boolean): void {
    this.#message = message;
    this.#advance(message.sequence, messages, idle);
  }

  /** Nothing of the partition lies between what is handled and this sequence. */
  follow({ sequence, storedMs }: Coverage): void {
    if (sequence <= this.#handled) return;
    this.#message = undefined;
    this.#stored = storedMs;
    this.#advance(sequence, 0, false);
  }

  #advance(sequence: number, messages: number, idle: boolean): void {
    this.#handled = sequence;
    this.#handledSince += messages;
    if (this.#writing) return;
    if (this.#handledSince >= this.#policy.every) void this.#write();
    else this.#schedule(idle);
  }

  /** Sets the total number of messages that the stream dropped; the position records it. */
  trimmed(messages: number): void {
    this.#trimmed = messages;
    if (!this.#writing && !this.#ended) this.#schedule(false);
  }

  /** Checks that the position still exists: an entry that was removed from the bucket's stream leaves no marker. */
  async look(): Promise<void> {
    const revision = this.#revision;
    const found = await this.#deps.bucket.read(this.#key);
    if (this.#ended || this.#writing || this.#revision !== revision) return;
    const isThere = found.kind !== 'missing' && !(found.kind === 'found' && found.entry.revision < revision);
    if (isThere) return;
    this.end();
    this.#over.vanished();
  }

  /** Commits what is handled. Resolves when that is certain, or after `withinMs`. */
  async flush(withinMs: number): Promise<void> {
    const cancel = this.#deps.clock.at(this.#deps.clock.now() + withinMs, () => this.end());
    while (!this.#ended && this.#isBehind) {
      if (!this.#writing) void this.#write();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    cancel();
    this.end();
  }

  /** Starts no more writes. */
  end(): void {
    this.#ended = true;
    this.#cancelTimer?.();
    this.#wakeIdle();
  }

  get #isBehind(): boolean {
    return this.#handled > this.#committed || this.#trimmed > this.#trimmedKept;
  }

  /**
   * While busy, once per interval. When idle, sooner, so that a restart repeats little, but not for each message of a
   * slow stream.
   */
  #schedule(idle: boolean): void {
    if (this.#cancelTimer && !idle) return;
    const { intervalMs } = this.#policy;
    const now = this.#deps.clock.now();
    if (idle && now - this.#lastAt >= intervalMs / 4) {
      void this.#write();
      return;
    }
    if (this.#cancelTimer) return;
    this.#cancelTimer = this.#deps.clock.at(
      Math.max(now, this.#lastAt) + (idle ? intervalMs / 4 : intervalMs),
      () => {
        this.#cancelTimer = undefined;
        void this.#write();
      },
    );
  }

  async #write(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#writing) return;
    this.#writing = true;
    while (this.#isBehind && !this.#ended) {
      if (!this.#deps.permit.isOpen) {
        await new Promise<void>((resolve) => {
          this.#idle.push(resolve);
          this.#deps.permit.whenOpen(resolve);
        });
        continue;
      }
      await this.#writeOnce();
      if (this.#handledSince < this.#policy.every && !this.#ended && this.#isBehind) break;
    }
    this.#writing = false;
    if (this.#isBehind && !this.#ended) this.#schedule(false);
    this.#wakeIdle();
  }

  async #writeOnce(): Promise<void> {
    const { bucket, clock, barrier, stream } = this.#deps;
    const { sequence, created, stored } = this.mark;
    const count = this.#handledSince;
    try {
      await barrier?.();
    } catch (cause) {
      if (this.#ended) return;
      this.end();
      this.#over.unsafe(
        cause instanceof StopConsuming
          ? cause
          : new StopConsuming(`the barrier before a commit was rejected: ${String(cause)}`, { cause }),
      );
    }
    const reading = await stream?.shared?.confirm(this.#partition);
    if (this.#ended || !this.#deps.permit.isOpen) return;
    if (typeof reading === 'object') {
      this.end();
      this.#over.doubted(reading.doubt);
      return;
    }
    if (reading === 'unknown') return sleep(clock, RETRY_MS);
    const sentAt = clock.now();
    this.#lastAt = sentAt;
    const at = new Date().toISOString();
    const [epoch, reader, trimmed] = [this.#epoch, this.#reader, this.#trimmed];
    const kept = trimmed > 0 && { trimmed };
    const record = { v: RECORD_VERSION, seq: sequence, epoch, at, reader, created, stored, ...kept };
    this.#sent.add(sequence);
    const outcome = await bucket.write(this.#key, encodeRecord(record), this.#revision);
    if (outcome.kind === 'ok') {
      this.#trimmedKept = trimmed;
      this.#done(outcome.revision, sequence, count, sentAt);
    } else if (outcome.kind === 'failed') this.#fail(outcome.error);
    else if (!this.#ended) {
      await this.#readBack(count, sentAt);
      // A full bucket is not asked again immediately.
      if (outcome.kind === 'unknown' && outcome.refusal !== undefined) await sleep(clock, RETRY_MS);
    }
  }

  #done(revision: number, sequence: number, count: number, sentAt: number): void {
    this.#revision = revision;
    this.#sent.clear();
    this.#committed = sequence;
    this.#handledSince -= count;
    // Release the message: it may be part of a large buffer.
    if (this.#handled === sequence) {
      this.#stored = this.mark.stored;
      this.#message = undefined;
    }
    if (!this.#ended) this.#deps.events.committed?.(sequence, this.#deps.clock.now() - sentAt);
  }

  #fail(error: NatspocError): void {
    if (this.#ended) return;
    this.end();
    this.#over.failed(error);
  }

  async #readBack(count: number, sentAt: number): Promise<void> {
    const { bucket, clock } = this.#deps;
    const found = await bucket.read(this.#key);
    if (this.#ended) return;
    if (found.kind === 'failed') return this.#fail(found.error);
    if (found.kind === 'unknown') return sleep(clock, RETRY_MS);
    const position =
      found.kind === 'found' && found.entry.value ? decodePosition(found.entry.value) : undefined;
    if (found.kind === 'missing' || !position) {
      this.end();
      this.#over.vanished();
    } else if (position.epoch !== this.#epoch) {
      this.end();
      this.#over.fenced();
    } else if (found.entry.revision > this.#revision) {
      if (this.#sent.has(position.seq)) {
        this.#trimmedKept = position.trimmed ?? 0;
        this.#done(found.entry.revision, position.seq, count, sentAt);
      } else {
        this.end();
        this.#over.moved();
      }
    }
    return undefined;
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resume of idle) resume();
  }
}
