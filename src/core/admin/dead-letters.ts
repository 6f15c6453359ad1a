import type { Config } from '../config/config.js';
import { NatsDeadLetters } from '../nats/stream/dead-letters.js';
import { natsRedriveTarget } from '../nats/stream/redrive-target.js';
import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Original } from '../protocol/dead-letter-original.js';
import { KEY_HEADER } from '../protocol/layout.js';
import { tokensOf } from '../protocol/message-key.js';
import type { OpenedGroups } from './opened-groups.js';
import { dropLetter, type RedriveOptions, type RedriveSummary, redrive } from './redrive.js';

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
  async redrive(options: Omit<RedriveOptions, 'box' | 'target' | 'partitions'>): Promise<RedriveSummary> {
    const { chosen } = this.#groups;
    const target = natsRedriveTarget(chosen, this.#config.timeoutMs);
    return redrive({ ...options, box: this.#store, target, partitions: chosen.layout.partitions });
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
    // The letter contains the subject, but headers and payload may be in its parts.
    const isWhole = letter.parts.length === 0 || tokensOf(key.text).length > 0;
    const original = isWhole ? letter : await this.#store.original(letter);
    const { headers, data } = original ?? letter;
    const own = letter.key === null ? headers : { [KEY_HEADER]: letter.key, ...headers };
    const found = key.of({
      ...letter,
      data,
      sequence: letter.from,
      size: data.length,
      timestampMs: 0,
      headers: () => ({ ...own }),
    });
    const shown = { ...letter, key: found };
    this.#asStored.set(shown, letter);
    return shown;
  }

  get #store(): NatsDeadLetters {
    const topology = this.#groups.any;
    return new NatsDeadLetters(topology, { ...this.#config, prefix: topology.deadPrefix });
  }
}
