import type { Crashes } from '../../protocol/crashes.js';
import type { Alone } from './alone.js';
import { IN_HAND } from './crash-note.js';
import type { HandlerCall } from './handler-call.js';
import type { Permit } from './permit.js';
import { InvalidMessage } from './verdict.js';

/** The error of a message that several owners in a row were handling when they died. The message is not tried again. */
export class CrashedOwners extends InvalidMessage {
  /** The number of owners in a row that have died. */
  override readonly crashes: number;

  constructor(crashes: number) {
    super(`${crashes} members in a row have died or hung while they handled it`);
    this.crashes = crashes;
  }
}

/** The dependencies of {@link Caution}. */
export interface CautionPorts {
  /** The previous owner had started at most this many messages beyond its position. This holds only if it had the same settings. */
  lead: number;
  alone: Alone;
  permit: Permit;
  /**
   * Commits the handled messages, and records the message that is about to be tried. Resolves with false if this owner can no longer
   * commit.
   */
  trying(sequence: number): Promise<boolean>;
  /** Commits the handled messages, and records that no message is being tried. */
  tried(): Promise<void>;
  /** Sets the number of deaths that the next owner reads from the position. */
  crashed(crashes: Crashes): void;
  /** True if no message waits in memory or on the server. */
  isCaughtUp(): boolean;
}

/**
 * Makes the handling of a partition cautious after its owners have died. Messages are handled one at a time, with a commit before each
 * message. Only one cautious partition of a member runs a call at a time. After a death, the position therefore shows which message the
 * owner was handling. After `maxCrashes` deaths the message fails without an attempt.
 */
export class Caution {
  readonly #ports: CautionPorts;
  readonly #maxCrashes: number;
  #crashes: Crashes;
  #left: number;
  /**
   * True while the end of the last call is being committed. If this owner dies before that commit, the call's message counts as the cause.
   */
  #isEnding = false;

  constructor(crashes: Crashes, maxCrashes: number, ports: CautionPorts) {
    this.#crashes = crashes;
    // The first owner that died may have started many messages beyond its position. Later owners start no more than the lead.
    this.#left = (crashes.crashes ?? 0) > 1 ? ports.lead : IN_HAND;
    this.#maxCrashes = maxCrashes;
    this.#ports = ports;
  }

  /** False once caution has ended. */
  get isOn(): boolean {
    return this.#left > 0;
  }

  /** True if a call may start now; otherwise calls back later. */
  mayStart(resume: () => void): boolean {
    const { alone } = this.#ports;
    if (!this.#isEnding && alone.take(this)) return true;
    alone.whenFree(resume);
    return false;
  }

  /** Runs a call after the position has recorded that its message is being tried. */
  async run(call: HandlerCall, sequence: number, handle: () => unknown): Promise<void> {
    const { permit, trying, crashed } = this.#ports;
    const { crashes = 0, suspect } = this.#crashes;
    if (sequence === suspect && crashes >= this.#maxCrashes) {
      // If the message is tried once more, a single further death makes it fail again.
      this.#crashes = {};
      crashed({ crashes: this.#maxCrashes - 1, suspect });
      throw new CrashedOwners(crashes);
    }
    const isRecorded = await trying(sequence);
    if (!permit.isOpen) call.abort('the member could not renew in time');
    if (!isRecorded || call.isStopped) throw new Error('the partition stopped before the handler was called');
    await handle();
  }

  /** To be called when a call has ended, and its message is settled or waits for another attempt. */
  async ended(): Promise<void> {
    this.#isEnding = true;
    await this.#ports.tried();
    this.#isEnding = false;
    this.#ports.alone.giveBack(this);
  }

  /** Lets another partition handle a message cautiously. To be called when the results of this partition's calls are no longer used. */
  abandon(): void {
    this.#ports.alone.giveBack(this);
  }

  /** To be called when a message is settled. */
  settled(): void {
    this.#left = this.#ports.isCaughtUp() ? 0 : this.#left - 1;
  }
}
