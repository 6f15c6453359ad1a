import { ABORT_GRACE_MS } from '../../../src/core/member/partition/handler-timeout.js';
import type { Call, CallObserver } from '../model/handler.js';
import type { EventLog } from '../model/log.js';
import type { Judge } from './judge.js';
import type { Ledger } from './ledger.js';
import { Order } from './order.js';

/** A handler ends within this time after its signal has aborted, or after its process has continued. */
const GRACE_MS = 10;

/** Tolerance for rounding. Times are sums of fractions. */
const ROUNDING_MS = 1e-3;

/** The settings of handling in a run. */
export interface HandlingSettings {
  drainTimeoutMs: number;
  concurrency: number;
  handlerTimeoutMs: number | undefined;
}

/** Judges each call of a handler: I3 (order, one at a time) and I4 (exclusive between members). */
export class Handling implements CallObserver {
  /** Messages that were handled more than once. */
  repeats = 0;
  calls = 0;
  readonly #judge: Judge;
  readonly #ledger: Ledger;
  readonly #log: EventLog;
  readonly #settings: HandlingSettings;
  readonly #order: Order;
  readonly #active = new Map<number, Set<Call>>();
  /** Messages that were skipped or stored as dead letters. */
  readonly #skipped = new Set<number>();
  /** The calls that ran when the bucket was restored from an older copy. They may continue until `untilMs`. */
  #before: { calls: ReadonlySet<Call>; untilMs: number } = { calls: new Set(), untilMs: 0 };
  /**
   * Messages whose calls succeeded although their signals had aborted. The value is the epoch of the owner that may count the success. It
   * is undefined if no owner may: the call had timed out, or its member no longer waited for it.
   */
  readonly #handledDeaf = new Map<number, number | undefined>();

  /** @param byChanged the sequences that a changed shared reader has delivered. */
  constructor(
    judge: Judge,
    ledger: Ledger,
    log: EventLog,
    settings: HandlingSettings,
    byChanged: ReadonlySet<number>,
  ) {
    this.#settings = settings;
    this.#order = new Order(judge, ledger, log, settings.concurrency, {
      isDoubtful: ({ sequence }) => this.#handledDeaf.has(sequence),
      isSkipped: ({ sequence }) => this.#skipped.has(sequence),
      isDisplaced: ({ sequence }) => byChanged.has(sequence),
    });
    this.#judge = judge;
    this.#ledger = ledger;
    this.#log = log;
  }

  started(call: Call): void {
    this.calls++;
    const { partition, epoch, sequence } = call;
    if (this.#judge.isTracing) this.#judge.note(`${describe(call)} starts`);
    this.#checkExclusive(call);
    const message = this.#log.message(sequence);
    if (message?.partition === partition) this.#order.called(call, message, describe(call));
    else this.#judge.violate('I3', `${describe(call)}: a message of another partition`);
    this.#ledger.handlerStarted(partition, epoch);
    if (message?.done && !this.#isForgivable(call) && this.#order.isRepetition(call, message)) this.repeats++;
    let active = this.#active.get(partition);
    if (!active) {
      active = new Set();
      this.#active.set(partition, active);
    }
    active.add(call);
  }

  ended(call: Call, how: 'handled' | 'failed' | 'stopped'): void {
    if (this.#judge.isTracing) this.#judge.note(`${describe(call)} ${how}`);
    this.#active.get(call.partition)?.delete(call);
    const message = this.#log.message(call.sequence);
    if (how !== 'handled' || !message) return;
    message.done = true;
    message.handledUnder = call.epoch;
    this.#order.handled(message);
    if (call.abortedAt !== undefined) {
      // A call that timed out has failed, even if it returned a result.
      const counts = this.#settings.handlerTimeoutMs === undefined && !this.#isGivenUp(call);
      this.#handledDeaf.set(call.sequence, counts ? call.epoch : undefined);
    }
  }

  resized(): void {
    for (const active of this.#active.values())
      for (const call of active)
        if (!this.#isExcused(call))
          this.#judge.violate('I4', `${describe(call)} runs while the group is resized`);
    this.#order.resized();
  }

  /**
   * The bucket was restored from an older copy; see {@link Order.goBack}.
   *
   * @param graceMs how long the calls that run now may continue. Their owners do not know of the restore yet, and the copy does not name
   *   them.
   */
  goBack(graceMs: number): void {
    this.#order.goBack();
    this.#before = {
      calls: new Set([...this.#active.values()].flatMap((calls) => [...calls])),
      untilMs: this.#judge.now + graceMs,
    };
  }

  /** See {@link Order.displaced}. */
  displaced(forMs: number): void {
    this.#order.displaced(this.#judge.now + forMs);
  }

  /** Deliveries of a changed shared reader since the last commit do not count; see {@link Order.mistrusted}. */
  mistrusted(partition: number): void {
    this.#order.mistrusted(partition);
  }

  opened(partition: number, epoch: number, startSequence: number): void {
    this.#order.opened(partition, epoch, startSequence);
  }

  received(partition: number, epoch: number, sequence: number): void {
    this.#order.received(partition, epoch, sequence);
  }

  /** A message was skipped by policy. It counts as handled. */
  skipped(sequence: number): void {
    const message = this.#log.message(sequence);
    if (!message) return;
    message.done = true;
    this.#skipped.add(sequence);
  }

  died(member: string): void {
    for (const active of this.#active.values()) {
      for (const call of active) if (call.member === member) active.delete(call);
    }
  }

  /** A stopped process has continued. Its calls must not overlap with calls of a new owner. */
  woke(member: string, after: (delayMs: number, check: () => void) => void): void {
    for (const [partition, active] of this.#active) {
      for (const call of active) {
        if (call.member !== member) continue;
        after(GRACE_MS, () => {
          if (!active.has(call) || this.#isExcused(call)) return;
          for (const other of active) {
            if (
              other.member !== member &&
              !this.#isExcused(other) &&
              !this.#ledger.losses.isNewcomers(call, other)
            )
              this.#judge.violate('I4', `p${partition}: ${describe(call)} overlaps with ${describe(other)}`);
          }
        });
      }
    }
  }

  /** True if a call of this message succeeded although its signal had aborted. The owner may not have waited for it. */
  handledWhenTold(sequence: number): boolean {
    return this.#handledDeaf.has(sequence);
  }

  /**
   * True if an earlier call handled the message although its signal had aborted, and this owner does not know of that success. Either
   * another owner made that call, or this owner no longer waited for it.
   */
  #isForgivable({ sequence, epoch }: Call): boolean {
    return this.#handledDeaf.has(sequence) && this.#handledDeaf.get(sequence) !== epoch;
  }

  #checkExclusive(call: Call): void {
    const { partition, epoch, member } = call;
    if (!this.#ledger.isValid(partition, epoch)) {
      this.#judge.violate('I4', `${describe(call)} starts, but its lease is over`);
    }
    let running = 1;
    for (const other of this.#active.get(partition) ?? []) {
      const message = `${describe(call)} starts while ${describe(other)} runs`;
      if (other.member !== member) {
        if (!this.#isExcused(other) && !this.#ledger.losses.isNewcomers(call, other))
          this.#judge.violate('I4', message);
      } else if (!this.#isGivenUp(other)) {
        if (other.key === call.key) this.#judge.violate('I3', message);
        running++;
      }
    }
    if (running > this.#settings.concurrency)
      this.#judge.violate('I3', `${describe(call)} is one of ${running} parallel calls`);
  }

  /**
   * True if SPEC.md promises nothing for the call. Its process is stopped or just woke, or it ignores its signal, or the bucket was just
   * restored.
   */
  #isExcused(call: Call): boolean {
    const { process, ignoresAbort, abortedAt } = call;
    if (this.#before.calls.has(call) && this.#judge.now < this.#before.untilMs) return true;
    if (!process.isRunning || this.#judge.now - process.wokeAt < GRACE_MS) return true;
    return ignoresAbort && abortedAt !== undefined;
  }

  /** True if the call's signal aborted so long ago that its member no longer waits for the call. */
  #isGivenUp({ abortedAt, process }: Call): boolean {
    const { drainTimeoutMs, handlerTimeoutMs } = this.#settings;
    const waitMs = handlerTimeoutMs === undefined ? drainTimeoutMs : Math.min(drainTimeoutMs, ABORT_GRACE_MS);
    return abortedAt !== undefined && process.clock.now() - abortedAt >= waitMs - ROUNDING_MS;
  }
}

const describe = (call: Call): string =>
  `${call.member} handling ${call.sequence} of p${call.partition} at epoch ${call.epoch}`;
