import { backoffMs, type Dealt, type FailurePolicy } from '../../config/retry.js';
import type { Clock } from '../../lib/clock.js';
import { messageOf, type NatspocError } from '../../lib/errors.js';
import type { DeadLetters } from '../../ports/index.js';
import type { CallScope } from './handler-call.js';
import type { Entry } from './key-queues.js';
import type { PartitionEvents } from './partition-events.js';
import { type Decision, decide, type Judge } from './verdict.js';

/** What {@link Failures} works with. */
export interface FailurePorts {
  events: Pick<PartitionEvents, 'attemptFailed'>;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  /** Required if the policy is `dead-letter`, or there is a judge. */
  deadLetters?: DeadLetters | undefined;
  /** Decides before the policy. */
  judge?: Judge | undefined;
}

/** How {@link Failures} settles a message. */
interface FailureOutcomes {
  /** Its delay is over: try it again. */
  again(entry: Entry): void;
  /** Skipped, or stored as a dead letter. */
  done(entry: Entry, how: Exclude<Dealt, 'handled'>): void;
  /** This owner will not handle it. */
  left(entry: Entry): void;
  /** Neither this message nor a later one may be handled. */
  halted(entry: Entry, message: string): void;
  /** An attempt to store a dead letter has ended, and its outcome was told. */
  stored(): void;
}

/**
 * Applies the judge's verdict, or the failure policy, to messages of one partition: retries after a delay, stores dead letters,
 * skips, or halts.
 */
export class Failures {
  readonly #scope: CallScope;
  readonly #policy: FailurePolicy;
  readonly #ports: FailurePorts;
  readonly #outcomes: FailureOutcomes;
  /** Waiting entries, and how to cancel their timers. */
  readonly #cancels = new Map<Entry, () => void>();
  #storing = 0;
  #closed = false;

  constructor(scope: CallScope, policy: FailurePolicy, ports: FailurePorts, outcomes: FailureOutcomes) {
    this.#scope = scope;
    this.#policy = policy;
    this.#ports = ports;
    this.#outcomes = outcomes;
  }

  /** Dead letters being stored. */
  get storing(): number {
    return this.#storing;
  }

  /** Cancels all delays. Outcomes of dead letters in flight are still told. */
  close(): void {
    this.#closed = true;
    for (const [entry, cancel] of this.#cancels) {
      cancel();
      this.#outcomes.left(entry);
    }
    this.#cancels.clear();
  }

  /** What follows this failed attempt. */
  decide({ message, attempt }: Entry, error: unknown): Decision {
    const { partition, epoch } = this.#scope;
    const failure = { error, message, attempt, partition, epoch };
    return decide(failure, this.#policy, this.#ports.judge, this.#ports.random());
  }

  /** Does what was decided. */
  follow(entry: Entry, error: unknown, next: Decision): void {
    const { message, attempt } = entry;
    this.#ports.events.attemptFailed(message, attempt, error, next.kind);
    if (next.kind === 'halt') {
      const tries = attempt === 1 ? 'failed' : `failed ${attempt} times`;
      const fault = next.fault === undefined ? '' : `; ${next.fault}`;
      this.#outcomes.halted(entry, `message ${message.sequence} ${tries}: ${messageOf(error)}${fault}`);
    } else if (next.kind === 'retry') {
      entry.attempt++;
      this.#later(entry, next.delayMs, () => this.#outcomes.again(entry));
    } else if (next.kind === 'skip') this.#outcomes.done(entry, 'skip');
    else void this.#bury(entry, error, 1);
  }

  /**
   * Stores a dead letter, and retries until the stream has confirmed it: only then may the position pass the message.
   */
  async #bury(entry: Entry, error: unknown, tries: number): Promise<void> {
    const { deadLetters, random } = this.#ports;
    const { partition, epoch } = this.#scope;
    const { message, attempt } = entry;
    this.#storing++;
    const letter = { message, partition, epoch, attempts: attempt, error: messageOf(error) };
    const outcome = await (deadLetters?.store(letter) ?? NOWHERE);
    this.#storing--;
    if (outcome.kind === 'ok') this.#outcomes.done(entry, 'dead-letter');
    else if (this.#closed) this.#outcomes.left(entry);
    else if (outcome.kind === 'unknown') {
      const delayMs = backoffMs(this.#policy.backoff, tries, random());
      this.#later(entry, delayMs, () => void this.#bury(entry, error, tries + 1));
    } else {
      const why = outcome.error ? `: ${outcome.error.message}` : '';
      const text = `message ${message.sequence} failed and could not be stored as a dead letter${why}`;
      this.#outcomes.halted(entry, text);
    }
    this.#outcomes.stored();
  }

  #later(entry: Entry, delayMs: number, callback: () => void): void {
    const { clock } = this.#ports;
    const cancel = clock.at(clock.now() + delayMs, () => {
      this.#cancels.delete(entry);
      callback();
    });
    this.#cancels.set(entry, cancel);
  }
}

const NOWHERE: { kind: 'failed'; error?: NatspocError } = { kind: 'failed' };
