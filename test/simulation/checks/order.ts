import type { Call } from '../model/handler.js';
import type { EventLog, Stored } from '../model/log.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';

interface Progress {
  epoch: number;
  /** The index of the epoch's first message, or of the first one since the last restart under this epoch. */
  from: number;
  /** All messages before this index were handled without a gap before the start. To handle one of them again is a repetition. */
  handledTo: number;
  /** The index of the last started message of each key. */
  readonly last: Map<string | null, number>;
}

/** Handling starts again at the message with the index `from`. */
function restart(progress: Progress, from: number, handledTo: number): void {
  progress.from = from;
  progress.handledTo = handledTo;
  for (const [key, index] of progress.last) if (index >= from) progress.last.delete(key);
}

const NEVER: Progress = { epoch: 0, from: 0, handledTo: 0, last: new Map() };

/** Messages that are exempt from some rules of order. */
export interface OrderExcuses {
  /** True for a message whose call succeeded although its signal had aborted. Its member may not count the call. */
  isDoubtful: (message: Stored) => boolean;
  /** True for a message that was skipped or stored as a dead letter. It may never have been handled. */
  isSkipped: (message: Stored) => boolean;
  /**
   * True for a message that a shared reader delivered after another client had changed the reader. Such a message does not count. It can
   * come after a gap, and can be handled before its member learns of the change. Its partition starts again.
   */
  isDisplaced: (message: Stored) => boolean;
}

/** Judges I3: the order in which messages of a partition are handled. If handlers run in parallel, it holds for each key. */
export class Order {
  readonly #judge: Judge;
  readonly #ledger: Ledger;
  readonly #log: EventLog;
  readonly #isByKey: boolean;
  readonly #excuses: OrderExcuses;
  readonly #progress = new Map<number, Progress>();
  readonly #replaced = new Map<number, Progress | undefined>();
  readonly #begun = new Map<string, Progress>();
  /** All progress before the bucket was restored from an older copy. An owner from before may find its lease again, and continue. */
  readonly #revived = new Map<string, Progress>();
  /** No order is judged before this time; see {@link displaced}. */
  #displacedUntil = 0;
  readonly #mayStartAgain = new Set<number>();
  /** Messages that were handled before the last restart, and are now handled again. */
  readonly #again = new Set<Stored>();
  /** The last delivered sequence of each partition, handled or not, and its epoch. */
  readonly #received = new Map<number, { epoch: number; sequence: number }>();

  constructor(judge: Judge, ledger: Ledger, log: EventLog, concurrency: number, excuses: OrderExcuses) {
    this.#excuses = excuses;
    this.#judge = judge;
    this.#ledger = ledger;
    this.#log = log;
    this.#isByKey = concurrency > 1;
  }

  resized(): void {
    for (const known of [this.#progress, this.#replaced, this.#begun, this.#revived, this.#received])
      known.clear();
    this.#mayStartAgain.clear();
  }

  /** The bucket was restored from an older copy. Epochs can repeat. Each partition may restart once after its restored position. */
  goBack(): void {
    for (const partition of this.#log.partitions.keys()) this.#mayStartAgain.add(partition);
    for (const [epoch, progress] of this.#begun) this.#revived.set(epoch, progress);
    this.#received.clear();
    this.#replaced.clear();
  }

  /**
   * Another client has changed a shared reader. Until `untilMs`, the reader's partitions can continue at another reader and miss earlier
   * messages. Then their owners check the changed reader and handle the missed messages.
   */
  displaced(untilMs: number): void {
    this.#displacedUntil = untilMs;
  }

  /** Allows the owner of a partition to restart after its position. */
  mistrusted(partition: number): void {
    this.#mayStartAgain.add(partition);
    this.#received.delete(partition);
  }

  received(partition: number, epoch: number, sequence: number): void {
    this.#received.set(partition, { epoch, sequence });
  }

  /**
   * A reader starts at a sequence. If the sequence was already received under the same epoch, handling restarts after the messages that
   * were handled without a gap. Messages of other keys after that gap may be repeated. This also holds for an owner that finds its lease
   * again in a restored bucket.
   */
  opened(partition: number, epoch: number, startSequence: number): void {
    if (!this.#isByKey) return;
    const progress = this.#progress.get(partition);
    const received = this.#received.get(partition);
    if (progress?.epoch !== epoch) {
      const revived = this.#revived.get(`${partition} ${epoch}`);
      const first = this.#log.firstAfter(partition, startSequence - 1);
      if (revived && first) restart(revived, first.index, first.index);
      return;
    }
    // After a restore from an older copy, handled messages do not count any more.
    const isBack = this.#mayStartAgain.has(partition);
    if (!isBack && (received?.epoch !== epoch || startSequence > received.sequence)) return;
    const first = this.#log.firstAfter(partition, startSequence - 1);
    if (!first) return;
    // Only calls since the previous restart count. What earlier calls handled after a gap may be repeated at every restart.
    const wasCalled = (progress.last.get(first.key) ?? -1) >= first.index;
    if (
      !isBack &&
      wasCalled &&
      first.done &&
      first.handledUnder === epoch &&
      !this.#again.has(first) &&
      !this.#excuses.isDoubtful(first)
    )
      this.#judge.violate('I3', `p${partition} starts again at ${first.sequence}, which was handled`);
    this.#mayStartAgain.delete(partition);
    restart(progress, first.index, isBack ? first.index : this.#firstUnhandled(first));
  }

  /** True if a call handles a message again that its owner had handled without a gap. */
  isRepetition({ partition }: Call, { index }: Stored): boolean {
    return !this.#isByKey || index < (this.#progress.get(partition) ?? NEVER).handledTo;
  }

  handled(message: Stored): void {
    this.#again.delete(message);
  }

  /** Judges the start of a handler call. `what` describes the call. */
  called({ partition, epoch }: Call, message: Stored, what: string): void {
    if (message.done) this.#again.add(message);
    let progress = this.#progress.get(partition);
    // There can be two owners: a member that joined after a loss cannot know of the older owner, which continues.
    const replaced = this.#replaced.get(partition);
    if (progress && progress.epoch > epoch && replaced?.epoch === epoch) progress = replaced;
    if (progress?.epoch === epoch && this.#startsAgain(message, progress)) progress = undefined;
    if (progress?.epoch !== epoch) progress = this.#revive(partition, epoch, message);
    if (!progress) {
      const { sequence: committed } = this.#ledger.knownPosition(partition);
      const before = this.#ledger.lastUnder(partition, epoch);
      const isNext = [committed, before?.sequence ?? committed].some((at) => this.#isNext(at, message));
      if (!isNext && this.#excuses.isDisplaced(message)) return;
      if (!isNext)
        this.#judge.violate('I3', `${what} is the first of its epoch, but ${committed} is committed`);
      this.#mayStartAgain.delete(partition);
      const handledTo = this.#firstUnhandled(message);
      progress = { epoch, from: message.index, handledTo, last: new Map() };
      this.#begin(partition, progress);
    } else if (!this.#isNextOfKey(message, progress)) {
      if (this.#excuses.isDisplaced(message) || this.#judge.now < this.#displacedUntil) return;
      const last = progress.last.get(message.key) ?? -1;
      const after = this.#log.of(partition)[last]?.sequence ?? 'nothing';
      this.#judge.violate('I3', `${what} comes after ${after} in the same epoch`);
    }
    progress.last.set(message.key, message.index);
  }

  /**
   * True if the message is the partition's next one after a sequence. Messages that were skipped or stored as dead letters may be between.
   */
  #isNext(after: number, message: Stored): boolean {
    let next = this.#log.firstAfter(message.partition, after);
    while (next && next.index < message.index && this.#excuses.isSkipped(next))
      next = this.#log.of(message.partition)[next.index + 1];
    return next === message || this.#log.isNext(after, message);
  }

  #begin(partition: number, progress: Progress): void {
    this.#replaced.set(partition, this.#progress.get(partition));
    this.#progress.set(partition, progress);
    this.#begun.set(`${partition} ${progress.epoch}`, progress);
  }

  /** The progress of an owner that finds its lease again in a restored bucket. Undefined if it does not continue from there. */
  #revive(partition: number, epoch: number, message: Stored): Progress | undefined {
    const progress = this.#revived.get(`${partition} ${epoch}`);
    // The owner starts again after its position. Another epoch may have moved it forward.
    const own = this.#ledger.lastUnder(partition, epoch);
    if (own && this.#log.isNext(own.sequence, message)) return undefined;
    if (!progress || !this.#isNextOfKey(message, progress)) return undefined;
    this.#begin(partition, progress);
    return progress;
  }

  /** True if the message is the next of its key in this epoch, or the last started one once more. */
  #isNextOfKey(message: Stored, { from, last: all }: Progress): boolean {
    const last = all.get(message.key) ?? -1;
    const before = this.#before(message, last);
    return message.index === last || (before >= from ? before === last : last < from);
  }

  /**
   * True if handling starts again after a position that went back with the bucket. The owner's epoch continues or repeats. If it repeats,
   * the new owner may also know a later position.
   */
  #startsAgain(message: Stored, progress: Progress): boolean {
    const { partition, index, key } = message;
    if (!this.#mayStartAgain.has(partition)) return false;
    if (index >= (progress.last.get(key) ?? -1) && this.#isNextOfKey(message, progress)) return false;
    const { sequence } = this.#ledger.knownPosition(partition);
    if (!this.#log.isNext(sequence, message)) return false;
    return this.#mayStartAgain.delete(partition);
  }

  /** The previous message of the key. Dropped messages after `last` are left out. */
  #before(message: Stored, last: number): number {
    let { before } = message;
    while (before && before.index > last && this.#log.isDropped(before)) before = before.before;
    return before?.index ?? -1;
  }

  #firstUnhandled({ partition, index }: Stored): number {
    const messages = this.#log.of(partition);
    let next = index;
    // A message after a gap that is handled again counts only when the second call has succeeded.
    const isHandled = (message: Stored): boolean =>
      message.done && !this.#again.has(message) && !this.#excuses.isDoubtful(message);
    for (let message = messages[next]; message && isHandled(message); ) message = messages[++next];
    return next;
  }
}
