import type { MessageParts } from './local-message.js';

/** A message of the log, with its partition. */
export interface Logged extends MessageParts {
  readonly partition: number;
}

/** The messages of the stream, in order. None is dropped. */
export class MessageLog {
  readonly all: Logged[] = [];
  readonly #partitions = new Map<number, Logged[]>();
  readonly #ids = new Map<string, number>();
  readonly #followers = new Set<() => void>();

  /** Sequence of the newest message; 0: none. */
  get last(): number {
    return this.all.length;
  }

  /** Stores a message. One whose id is stored already is a duplicate, and has that sequence. */
  append(
    message: Omit<Logged, 'sequence'>,
    id: string | undefined,
  ): { sequence: number; duplicate: boolean } {
    const known = id === undefined ? undefined : this.#ids.get(id);
    if (known !== undefined) return { sequence: known, duplicate: true };
    const sequence = this.last + 1;
    const logged = { ...message, sequence };
    this.all.push(logged);
    this.#of(message.partition).push(logged);
    if (id !== undefined) this.#ids.set(id, sequence);
    for (const follow of this.#followers) follow();
    return { sequence, duplicate: false };
  }

  /** The message of a sequence. */
  at(sequence: number): Logged | undefined {
    return this.all[sequence - 1];
  }

  /** The messages of a partition, in order. The array is live. */
  of(partition: number): readonly Logged[] {
    return this.#of(partition);
  }

  #of(partition: number): Logged[] {
    let messages = this.#partitions.get(partition);
    if (!messages) {
      messages = [];
      this.#partitions.set(partition, messages);
    }
    return messages;
  }

  /** Called after each stored message, until the returned function is called. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
