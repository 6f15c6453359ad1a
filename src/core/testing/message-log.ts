import { DUPLICATE_WINDOW_MS } from '../nats/stream/stored.js';
import { subjectMatcher } from '../protocol/subject.js';
import type { MessageParts } from './local-message.js';

interface Matching {
  readonly matches: (subject: string) => boolean;
  readonly messages: MessageParts[];
}

/** The messages of the stream, in order. */
export class MessageLog {
  readonly all: MessageParts[] = [];
  readonly #matching = new Map<string, Matching>();
  /** The newest message of each id, oldest first. */
  readonly #ids = new Map<string, MessageParts>();
  readonly #followers = new Set<() => void>();

  /** Sequence of the newest message; 0 if there is none. */
  get last(): number {
    return this.all.length;
  }

  /** Stores a message. If the id was used within the duplicate window, returns the sequence of the stored message instead. */
  append(
    message: Omit<MessageParts, 'sequence'>,
    id: string | undefined,
  ): { sequence: number; duplicate: boolean } {
    this.#forgetIds(message.timestampMs - DUPLICATE_WINDOW_MS);
    const known = id === undefined ? undefined : this.#ids.get(id);
    if (known) return { sequence: known.sequence, duplicate: true };
    const sequence = this.last + 1;
    const stored = { ...message, sequence };
    this.all.push(stored);
    for (const { matches, messages } of this.#matching.values())
      if (matches(message.subject)) messages.push(stored);
    if (id !== undefined) this.#ids.set(id, stored);
    for (const follow of this.#followers) follow();
    return { sequence, duplicate: false };
  }

  /** The message with this sequence; undefined if there is no such message. */
  at(sequence: number): MessageParts | undefined {
    return this.all[sequence - 1];
  }

  /** The messages whose subjects match a pattern, in order. Later messages are added to the same array. */
  of(pattern: string): readonly MessageParts[] {
    let found = this.#matching.get(pattern);
    if (!found) {
      const matches = subjectMatcher(pattern);
      found = { matches, messages: this.all.filter(({ subject }) => matches(subject)) };
      this.#matching.set(pattern, found);
    }
    return found.messages;
  }

  /** Calls `follower` after each stored message, until the returned function is called. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #forgetIds(upToMs: number): void {
    for (const [id, { timestampMs }] of this.#ids) {
      if (timestampMs > upToMs) return;
      this.#ids.delete(id);
    }
  }
}
