import { type Crashes, crashFields } from '../../protocol/crashes.js';
import type { PositionRecord } from '../../protocol/position-records.js';

/** After this number of messages, an owner is past all messages that its predecessors were handling when they died. */
export const IN_HAND = 1_000;

/** The deaths of owners that a position records, and the message that its owner is trying. */
export class CrashNote {
  #crashes: Crashes;
  /** The deaths that the position still records after it has moved. */
  #carried: Crashes;
  /** The position at which the deaths were counted. */
  readonly #after: number;
  #left = IN_HAND;
  #trying = 0;
  /** Counts the changes that must be written even if the position does not move. */
  #version = 0;
  #kept = 0;

  constructor(crashes: Crashes, carried: Crashes, after: number) {
    this.#crashes = crashes;
    this.#carried = carried;
    this.#after = after;
  }

  /** True while the position records deaths. This owner is then not yet past the messages that its predecessors were handling. */
  get isCounting(): boolean {
    return (this.#carried.crashes ?? 0) > 0;
  }

  /** True if a change has not been written yet. */
  get isStale(): boolean {
    return this.#version !== this.#kept;
  }

  get version(): number {
    return this.#version;
  }

  /** Records that all changes up to this version were written. */
  kept(version: number): void {
    this.#kept = Math.max(this.#kept, version);
  }

  /** Records that the owner has handled this number of further messages. `idle` means that no more messages wait. */
  handled(messages: number, idle: boolean): void {
    if (this.#left === 0) return;
    this.#left = idle ? 0 : Math.max(0, this.#left - messages);
    if (this.#left === 0) this.#carried = {};
  }

  /** Records the message that is tried next, in case it ends the process; 0 means no message. */
  trying(sequence: number): void {
    this.#trying = sequence;
    this.#version++;
  }

  /** Sets the deaths that the next owner reads from the position. */
  set(crashes: Crashes): void {
    this.#crashes = crashes;
    this.#trying = 0;
    this.#version++;
  }

  /** The fields of the position at this sequence. */
  fieldsAt(sequence: number): Pick<PositionRecord, 'crashes' | 'suspect' | 'trying'> {
    return {
      ...crashFields(sequence === this.#after ? this.#crashes : this.#carried),
      ...(this.#trying > sequence && { trying: this.#trying }),
    };
  }
}
