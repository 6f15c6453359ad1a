import type { Config } from '../config/config.js';
import { NatsDeadLetters } from '../nats/stream/dead-letters.js';
import { natsRedriveTarget } from '../nats/stream/redrive-target.js';
import type { Topology } from '../nats/stream/topology.js';
import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Original } from '../protocol/dead-letter-original.js';
import { KEY_HEADER, partitionOfSubject } from '../protocol/layout.js';
import type { StreamMessage } from '../protocol/message.js';
import { type MessageKey, partitionByKey, tokensOf } from '../protocol/message-key.js';
import type { OpenedGroups } from './opened-groups.js';
import { dropLetter, type RedriveOptions, type RedriveOutcome, redrive } from './redrive.js';

/** Gives an operator access to the dead letters of all groups of a stream. */
export class DeadLetterAdmin {
  readonly #config: Config;
  readonly #groups: OpenedGroups;
  /** The stored letter for each letter with a computed key. */
  readonly #asStored = new WeakMap<FoundLetter, FoundLetter>();

  constructor(config: Config, groups: OpenedGroups) {
    this.#config = config;
    this.#groups = groups;
  }

  /**
   * All dead letters, oldest first. Letters of a keyed group get the key that the group computes.
   *
   * @param foreign is called for messages that are not dead letters.
   */
  async *letters(foreign: (sequence: number) => void): AsyncGenerator<FoundLetter> {
    for await (const letter of this.#store.letters(foreign)) yield await this.#withKey(letter);
  }

  /** Publishes dead letters to their partitions again. */
  async redrive(options: RedriveOptions): Promise<RedriveOutcome> {
    const { chosen } = this.#groups;
    const target = natsRedriveTarget(chosen, this.#config.timeoutMs);
    const { partitions } = chosen.layout;
    const place = (letter: FoundLetter) => this.#placeOf(letter, chosen);
    return redrive({ ...options, box: this.#store, target, partitions, place });
  }

  /** Deletes a dead letter for good. The original message stays in the stream, but is not handled again. */
  drop(letter: FoundLetter): Promise<void> {
    return dropLetter(this.#store, letter);
  }

  /** The message of a dead letter; undefined if a part of it no longer exists. */
  originalOf(letter: FoundLetter): Promise<Original | undefined> {
    return this.#store.original(this.#asStored.get(letter) ?? letter);
  }

  /** Adds the key that the letter's keyed group computes, if that group is open. */
  async #withKey(letter: FoundLetter): Promise<FoundLetter> {
    const key = this.#groups.find(letter.group)?.keyed?.key;
    if (!key) return letter;
    const shown = { ...letter, key: key.of(await this.#messageFor(key, letter)) };
    this.#asStored.set(shown, letter);
    return shown;
  }

  /**
   * The present partition of a letter's message. The letter names the partition of its group at that time. A resized group has other
   * partitions than its stream, and other partitions than before.
   */
  async #placeOf(letter: FoundLetter, { keyed, layout }: Topology): Promise<number> {
    if (!keyed) return partitionOfSubject(layout.prefix, letter.subject) ?? letter.partition;
    // If the key cannot be computed, any two letters may have the same key. So all of them stay in order.
    if (!keyed.key) return 0;
    const message = await this.#messageFor(keyed.key, letter);
    return partitionByKey(keyed.key.of(message), message, layout.partitions);
  }

  /** The message of a letter, with everything that a key may need. */
  async #messageFor({ text }: MessageKey, letter: FoundLetter): Promise<StreamMessage> {
    // The letter contains the subject, but headers and payload may be in its parts.
    const isWhole = letter.parts.length === 0 || tokensOf(text).length > 0;
    const original = isWhole ? letter : await this.#store.original(letter);
    const { headers, data } = original ?? letter;
    const own = letter.key === null ? headers : { [KEY_HEADER]: letter.key, ...headers };
    return {
      ...letter,
      data,
      sequence: letter.from,
      size: data.length,
      timestampMs: 0,
      headers: () => ({ ...own }),
    };
  }

  get #store(): NatsDeadLetters {
    const topology = this.#groups.any;
    return new NatsDeadLetters(topology, { ...this.#config, prefix: topology.deadPrefix });
  }
}
