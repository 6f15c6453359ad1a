import type { SharedReader } from './shared-reader.js';

/** If the server does not answer, at most this number of ended readers is remembered. */
const MOST_UNCONFIRMED = 4;

/** Keeps track of shared readers that another client may have changed, and of the partitions that a changed reader has served. */
export class ReaderDoubts {
  /** Partitions that must start again because another client changed their reader. Deliveries after `behind` are in doubt. */
  readonly #doubts = new Map<number, { behind: number; reason: string }>();
  /** Ended readers that delivered messages after their last check. */
  #unconfirmed: SharedReader[] = [];

  /** Why deliveries to this partition are in doubt; undefined if they are not. */
  of(partition: number): string | undefined {
    return this.#doubts.get(partition)?.reason;
  }

  /** Another client had changed a reader. For each affected partition, deliveries after the given sequence are in doubt. */
  changed(partitions: ReadonlyMap<number, number>, reason: string): void {
    for (const [partition, behind] of partitions) this.#doubts.set(partition, { behind, reason });
  }

  /**
   * The partition begins to read again, which ends the doubt. Returns the reason if the partition counts doubtful deliveries as handled,
   * and so must start again.
   *
   * @param upTo the partition counts all messages up to this sequence as handled.
   */
  begins(partition: number, upTo: number): string | undefined {
    const doubt = this.#doubts.get(partition);
    this.#doubts.delete(partition);
    return doubt && upTo > doubt.behind ? doubt.reason : undefined;
  }

  /** A reader has ended. */
  ended(reader: SharedReader): void {
    if (reader.isUnconfirmed) this.#unconfirmed.push(reader);
  }

  /** Checks these readers, and the ended readers that were not checked. Resolves with false if one of the checks had no answer. */
  async confirm(open: readonly (SharedReader | undefined)[], isUrgent: boolean): Promise<boolean> {
    const readers = [...open, ...this.#unconfirmed];
    const looks = await Promise.all(readers.map((reader) => reader?.confirm(isUrgent)));
    this.#unconfirmed = this.#unconfirmed.filter((reader) => reader.isUnconfirmed).slice(-MOST_UNCONFIRMED);
    return looks.every((isAnswered) => isAnswered !== false);
  }
}
