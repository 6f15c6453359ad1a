import { RetentionPolicy, StorageType } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import type { DeadLetterStore } from '../../ports/dead-letters.js';
import type { DeadLetters } from '../../ports/index.js';
import {
  deadStream,
  deadSubject,
  type FoundLetter,
  isPartOf,
  isSameLetter,
  letterHeaders,
  letterId,
  type Origin,
  ownHeaders,
  partHeaders,
  partOf,
  partsHeader,
  readLetter,
  withoutOrders,
} from '../../protocol/dead-letter.js';
import { cut, decodeOriginal, encodeOriginal, type Original } from '../../protocol/dead-letter-original.js';
import { KEY_HEADER } from '../../protocol/layout.js';
import type { DeadLetter } from '../../protocol/message.js';
import { askAgain } from '../client/ask-again.js';
import { refuse } from '../client/concern.js';
import type { NatsHandles } from '../client/handles.js';
import { plainHeaders } from '../client/headers.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from '../client/outcome.js';
import { type KeptMessages, keptMessages } from '../jetstream/kept-messages.js';
import { readStream } from '../jetstream/read-stream.js';
import { findStream } from './creation.js';
import { streamConcerns } from './stream-concerns.js';

/**
 * How long the stream recognizes a letter that is stored again, in milliseconds. An owner may die after it has stored a
 * letter, but before it commits. The next owner then makes all attempts again, and stores the same letter a second time.
 */
const DUPLICATE_WINDOW_MS = 3_600_000;
/** Bytes reserved for a longer id, in case the first id was used before. */
const SLACK = 256;
const ANOTHER = 'delete the stream: natspoc creates it again';
const NO_DATA = new Uint8Array(0);

/** Options of {@link NatsDeadLetters}. */
export interface DeadLetterOptions {
  /** The original stream, and its layout's prefix. */
  stream: string;
  prefix: string;
  replicas: number;
  timeoutMs: number;
}

/** The stream of dead letters on a real server. */
export class NatsDeadLetters implements DeadLetterStore {
  readonly #handles: NatsHandles;
  readonly #options: DeadLetterOptions;
  readonly #name: string;
  readonly #subject: string;
  readonly #kept: KeptMessages;

  constructor(handles: NatsHandles, options: DeadLetterOptions) {
    this.#handles = handles;
    this.#options = options;
    this.#name = deadStream(options.stream);
    this.#subject = deadSubject(options.prefix);
    this.#kept = keptMessages(handles, this.#name, options.timeoutMs);
  }

  /**
   * Creates the stream if it is missing.
   *
   * @param patienceMs how long to wait for an answer to a request; default: the manager's timeout.
   * @throws NatspocError if the stream cannot be created, has other subjects, or has a setting that loses letters.
   */
  async ensure(patienceMs = this.#handles.manager.getOptions().timeout): Promise<void> {
    const { manager } = this.#handles;
    const found = await findStream(manager, this.#name, patienceMs);
    if (!found) {
      const config = {
        name: this.#name,
        subjects: [this.#subject],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: this.#options.replicas,
        duplicate_window: DUPLICATE_WINDOW_MS * 1_000_000,
      };
      const add = () => manager.streams.add(config);
      await askAgain(add, patienceMs).catch((error: unknown) => {
        if (apiErrorCode(error) !== API_ERRORS.streamNameInUse)
          throw toNatspocError(error, `create ${this.#name} for dead letters`);
      });
    } else if (!found.config.subjects.includes(this.#subject)) {
      const message = `Stream ${this.#name} is for dead letters, but does not listen to ${this.#subject}.`;
      throw new NatspocError('layout-mismatch', message);
    } else {
      const needs = { wildcard: this.#subject, partitions: 0, hasDefaultConsumers: false, another: ANOTHER };
      refuse(streamConcerns(found.config, needs), ['publish']);
    }
  }

  /** Stores letters of `group`. The first letter creates a missing stream. */
  storeFor(group: string): DeadLetters {
    const origin = { stream: this.#options.stream, group };
    let ensured: Promise<void> | undefined;
    const store: DeadLetters['store'] = async (letter) => {
      try {
        ensured ??= this.ensure();
        await ensured;
      } catch (cause) {
        ensured = undefined;
        const error = toNatspocError(cause, `store in ${this.#name}`);
        return error.code === 'unreachable' ? { kind: 'unknown' } : { kind: 'failed', error };
      }
      return this.#store(letter, origin);
    };
    return { store };
  }

  async #store(letter: DeadLetter, origin: Origin): ReturnType<DeadLetters['store']> {
    const id = letterId(letter, origin);
    const { data } = letter.message;
    const about = letterHeaders(letter, origin, Date.now());
    const own = ownHeaders(letter);
    const headers = { ...own, ...about };
    if (data.length <= this.#kept.room(headers, id)) return this.#keep({ headers, data }, id);
    const sequences: number[] = [];
    const part = partHeaders(origin.stream, id);
    const size = this.#kept.room(part, `${id}.part.999`) - SLACK;
    for (const [index, piece] of cut(encodeOriginal({ headers: own, data }), Math.max(1, size)).entries()) {
      const outcome = await this.#kept.store(
        { subject: this.#subject, headers: part, data: piece },
        `${id}.part.${index}`,
        (found) => partOf(found.headers) === id && Buffer.compare(found.data, piece) === 0,
      );
      if (outcome.kind !== 'ok') return outcome;
      sequences.push(outcome.sequence);
    }
    return this.#keep({ headers: { ...about, ...partsHeader(sequences) }, data: NO_DATA }, id);
  }

  #keep(
    letter: { headers: Record<string, string>; data: Uint8Array },
    id: string,
  ): ReturnType<DeadLetters['store']> {
    const { stream } = this.#options;
    return this.#kept.store({ subject: this.#subject, ...letter }, id, (found) =>
      isSameLetter(found, letter, stream),
    );
  }

  async original(letter: FoundLetter): Promise<Original | undefined> {
    const { key, headers, data, parts } = letter;
    if (parts.length === 0) {
      return { headers: key === null ? headers : { [KEY_HEADER]: key, ...headers }, data };
    }
    const found = await Promise.all(parts.map((sequence) => this.#kept.find(sequence)));
    const [first] = found;
    if (!first || !isPartOf(first.headers, letter, this.#options.stream)) return undefined;
    const id = partOf(first.headers);
    const pieces = found.flatMap((part) => (part && partOf(part.headers) === id ? [part.data] : []));
    const original = pieces.length === parts.length ? decodeOriginal(pieces) : undefined;
    return original && { ...original, headers: withoutOrders(original.headers) };
  }

  /**
   * @throws NatspocError if the letters cannot be read completely. Yields nothing if the stream of dead letters does not
   *   exist.
   */
  async *letters(foreign: (sequence: number) => void): AsyncGenerator<FoundLetter> {
    const source = { stream: this.#name, filter: this.#subject, follow: false };
    try {
      for await (const { sequence, data, headers } of readStream(this.#handles, source)) {
        const stored = { sequence, data, headers: plainHeaders(headers) };
        const letter = readLetter(stored, this.#options.stream);
        if (letter) yield letter;
        else if (partOf(stored.headers) === undefined) foreign(sequence);
      }
    } catch (error) {
      // The first letter creates the stream. Without a stream, there are no letters.
      if (!(error instanceof NatspocError && error.code === 'stream-missing')) throw error;
    }
  }

  async remove(sequence: number): Promise<void> {
    try {
      await this.#handles.manager.streams.deleteMessage(this.#name, sequence, false);
    } catch (error) {
      if (/no message found|not found/i.test(error instanceof Error ? error.message : '')) return;
      throw toNatspocError(error, `delete dead letter ${sequence} of ${this.#name}`);
    }
  }
}
