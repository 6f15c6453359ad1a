import { backoffMs, type Dealt, type FailurePolicy } from '../../config/retry.js';
import type { Clock } from '../../lib/clock.js';
import { messageOf, type NatspocError } from '../../lib/errors.js';
import { withoutStop } from '../../lib/text.js';
import type { DeadLetters } from '../../ports/index.js';
import { type HoldUp, holdUp } from '../../protocol/hold-up.js';
import type { GivenUp, GiveUps } from './give-ups.js';
import type { CallScope } from './handler-call.js';
import type { Entry } from './key-queues.js';
import type { PartitionEvents } from './partition-events.js';
import { type Decision, decide, type Judge } from './verdict.js';

/** The dependencies of {@link Failures}. */
export interface FailurePorts {
  events: Pick<PartitionEvents, 'attemptFailed'>;
  clock: Clock;
  /** Returns a random number from 0 to 1. */
  random: () => number;
  /** Required if the policy is `dead-letter`, or there is a judge. */
  deadLetters?: DeadLetters | undefined;
  /** Decides what follows a failed attempt. If the judge returns no verdict, the failure policy decides. */
  judge?: Judge | undefined;
  /** Messages that an operator has skipped. The operator's decisions take precedence over the judge. */
  giveUps?: GiveUps | undefined;
}

/** Receives the decisions of {@link Failures} about messages. */
interface FailureOutcomes {
  /** The delay of a message is over, so the message has to be tried again. */
  again(entry: Entry): void;
  /** The message was skipped, or stored as a dead letter. */
  done(entry: Entry, how: Exclude<Dealt, 'handled'>): void;
  /** This owner will not handle the message. */
  left(entry: Entry): void;
  /** The partition must halt. This message and all later messages must not be handled. */
  halted(entry: Entry, message: string, held: HoldUp): void;
  /** An attempt to store a dead letter has ended, and its outcome was reported. */
  stored(): void;
}

/** A message that failed and is not settled. */
interface Failing {
  readonly since: number;
  /** Number of failed attempts. */
  attempt: number;
  reason: string;
  isStoring: boolean;
  /** The wait for the message's next attempt; undefined while an attempt runs. */
  wait?: { readonly dueAt: number; readonly end: () => void; readonly cancel: () => void } | undefined;
}

/**
 * Applies the judge's verdict or the failure policy to one partition's messages. It retries after a delay, stores dead letters, skips, or
 * halts.
 */
export class Failures {
  readonly #scope: CallScope;
  readonly #policy: FailurePolicy;
  readonly #ports: FailurePorts;
  readonly #outcomes: FailureOutcomes;
  readonly #failing = new Map<Entry, Failing>();
  #storing = 0;
  #closed = false;

  constructor(scope: CallScope, policy: FailurePolicy, ports: FailurePorts, outcomes: FailureOutcomes) {
    this.#scope = scope;
    this.#policy = policy;
    this.#ports = ports;
    this.#outcomes = outcomes;
  }

  /** Number of dead letters that are being stored. */
  get storing(): number {
    return this.#storing;
  }

  /** Cancels all delays. Outcomes of dead letters in flight are still reported. */
  close(): void {
    this.#closed = true;
    for (const [entry, { wait }] of this.#failing) {
      if (!wait) continue;
      wait.cancel();
      this.#outcomes.left(entry);
    }
    this.#failing.clear();
  }

  /** The first message that failed and is not settled; undefined if there is none. */
  get holdUp(): HoldUp | undefined {
    let first: Entry | undefined;
    for (const entry of this.#failing.keys())
      if (!first || entry.message.sequence < first.message.sequence) first = entry;
    return first && this.#describe(first, { others: this.#failing.size - 1 });
  }

  /** The details of an unsettled message that failed; undefined if there is none. */
  failing(sequence: number): HoldUp | undefined {
    for (const entry of this.#failing.keys())
      if (entry.message.sequence === sequence) return this.#describe(entry, {});
    return undefined;
  }

  /** Ends all waits, so that failed messages are tried now. */
  retryNow(): void {
    for (const { wait } of [...this.#failing.values()]) wait?.end();
  }

  /** The message is settled. */
  settled(entry: Entry): void {
    this.#ports.giveUps?.settled(entry.message.sequence);
    if (this.#failing.size > 0) this.#failing.delete(entry);
  }

  /** Decides what follows this failed attempt. */
  decide({ message, attempt }: Entry, error: unknown): Decision {
    const { partition, epoch } = this.#scope;
    const order = this.#ports.giveUps?.of(message.sequence);
    if (order) return { kind: order.how };
    const failure = { error, message, attempt, partition, epoch };
    return decide(failure, this.#policy, this.#ports.judge, this.#ports.random());
  }

  /** Carries out a decision. */
  follow(entry: Entry, error: unknown, next: Decision): void {
    const { message, attempt } = entry;
    this.#ports.events.attemptFailed(message, attempt, error, next.kind);
    if (next.kind === 'halt') {
      const tries = attempt === 1 ? 'failed' : `failed ${attempt} times`;
      const fault = next.fault === undefined ? '' : `; ${next.fault}`;
      const why = `${withoutStop(messageOf(error))}${fault}`;
      this.#note(entry, why, false);
      const held = this.#describe(entry, { why: 'halted' });
      this.#outcomes.halted(entry, `message ${message.sequence} ${tries}: ${why}`, held);
    } else if (next.kind === 'retry') {
      this.#note(entry, messageOf(error), false);
      entry.attempt++;
      this.#later(entry, next.delayMs, () => this.#outcomes.again(entry));
    } else if (next.kind === 'skip') this.#outcomes.done(entry, 'skip');
    else void this.#bury(entry, error, 1);
  }

  /**
   * Stores a dead letter, and retries until the stream confirms it. Only then is the position allowed to pass the message. Meanwhile an
   * operator may skip the message.
   */
  async #bury(entry: Entry, error: unknown, tries: number): Promise<void> {
    const { deadLetters, giveUps, random } = this.#ports;
    const { partition, epoch } = this.#scope;
    const { message, attempt } = entry;
    const order = giveUps?.of(message.sequence);
    if (order?.how === 'skip') {
      this.#outcomes.done(entry, 'skip');
      this.#outcomes.stored();
      return;
    }
    this.#storing++;
    const letter = {
      message,
      partition,
      epoch,
      attempts: order?.attempts ?? attempt,
      error: messageOf(error),
    };
    const outcome = await (deadLetters?.store(letter) ?? NOWHERE);
    this.#storing--;
    if (outcome.kind === 'ok') this.#outcomes.done(entry, 'dead-letter');
    else if (this.#closed) this.#outcomes.left(entry);
    else if (outcome.kind === 'unknown') {
      const delayMs = backoffMs(this.#policy.backoff, tries, random());
      this.#note(entry, 'the server has not confirmed the dead letter', true);
      this.#later(entry, delayMs, () => void this.#bury(entry, error, tries + 1));
    } else {
      const cause = outcome.error ? `: ${withoutStop(outcome.error.message)}` : '';
      const why = `could not be stored as a dead letter${cause}`;
      if (order) this.#restore(entry, order, why);
      else {
        const text = `message ${message.sequence} failed and ${why}`;
        this.#note(entry, text, true);
        this.#outcomes.halted(entry, text, this.#describe(entry, { why: 'halted' }));
      }
    }
    this.#outcomes.stored();
  }

  /** Drops an order that could not be carried out. The message holds up the partition again, as it did before the order. */
  #restore(entry: Entry, { attempts, isHalted, reason }: GivenUp, why: string): void {
    const { events, giveUps, random } = this.#ports;
    const { message } = entry;
    giveUps?.settled(message.sequence);
    const text = `${why}; before: ${reason}`;
    entry.attempt = attempts;
    this.#note(entry, text, false);
    if (isHalted) {
      const held = this.#describe(entry, { why: 'halted' });
      this.#outcomes.halted(entry, `message ${message.sequence} ${text}`, held);
      return;
    }
    events.attemptFailed(message, attempts, new Error(text), 'retry');
    entry.attempt++;
    const delayMs = backoffMs(this.#policy.backoff, attempts, random());
    this.#later(entry, delayMs, () => this.#outcomes.again(entry));
  }

  #later(entry: Entry, delayMs: number, callback: () => void): void {
    // A judge or a listener may have made the member leave.
    if (this.#closed) {
      this.#outcomes.left(entry);
      return;
    }
    const { clock } = this.#ports;
    const failing = this.#failing.get(entry);
    const end = (): void => {
      cancel();
      if (failing) failing.wait = undefined;
      callback();
    };
    const dueAt = clock.now() + delayMs;
    const cancel = clock.at(dueAt, end);
    if (failing) failing.wait = { dueAt, end, cancel };
  }

  #note(entry: Entry, reason: string, isStoring: boolean): void {
    const since = this.#failing.get(entry)?.since ?? this.#ports.clock.now();
    this.#failing.set(entry, { since, attempt: entry.attempt, reason, isStoring });
  }

  #describe(entry: Entry, known: { why?: HoldUp['why']; others?: number }): HoldUp {
    const now = this.#ports.clock.now();
    const { since = now, attempt, reason = '', isStoring, wait } = this.#failing.get(entry) ?? {};
    const { sequence, key } = entry.message;
    return holdUp({
      why: isStoring ? 'storing' : 'retrying',
      sequence,
      key,
      attempt,
      maxAttempts: this.#ports.judge ? null : this.#policy.maxAttempts,
      nextInMs: wait && wait.dueAt - now,
      reason,
      forMs: now - since,
      ...known,
    });
  }
}

const NOWHERE: { kind: 'failed'; error?: NatspocError } = { kind: 'failed' };
