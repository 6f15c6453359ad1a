import { asObject, type Fields } from '../../lib/json.js';
import type { Rejection } from '../../ports/publishing.js';

/**
 * The outcome of a published message. `elsewhere`: a stream of another JetStream domain answered. `refused`: `status` is
 * the error's HTTP-like code. `garbled`: the answer does not come from JetStream.
 */
export type PubAckOutcome =
  | { kind: 'stored'; sequence: number; duplicate: boolean }
  | { kind: 'elsewhere'; reason: Rejection }
  | { kind: 'refused'; reason: Rejection; status: number }
  | { kind: 'garbled'; reason: Rejection };

/**
 * Temporary JetStream errors (server/errors.json of nats-server), for example during the election of a leader. The
 * message is certainly not stored.
 */
const PASSING = new Set([
  10004, // cluster incomplete
  10008, // JetStream system temporarily unavailable
  10009, // no quorum
  10118, // stream is offline
  10158, // an attempt with the same message id is still being replicated
  10167, // too many requests
  10195, // message is being processed (2.12)
]);

const CLOSING_BRACE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;

const utf8 = new TextDecoder();

function garbled(text: string): PubAckOutcome {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const description = `an answer that does not come from JetStream: ${JSON.stringify(shown)}`;
  return { kind: 'garbled', reason: { code: 0, description, retryable: false } };
}

/**
 * Reads the answers of one stream. Almost all answers differ only in their digits. So after the first confirmation, only
 * the digits are parsed, and nothing is allocated. Any other answer is decoded as JSON.
 */
export class PubAckReader {
  readonly #stream: string;
  readonly #domain: string | undefined;
  /** The text before the digits of a plain confirmation. */
  #prefix: Uint8Array | undefined;

  /** @param domain the JetStream domain of the stream, empty for none; undefined: any domain. */
  constructor(stream: string, domain?: string) {
    this.#stream = stream;
    this.#domain = domain;
  }

  /** The sequence of a plain confirmation; 0 for any other answer, which {@link decode} reads. */
  sequence(data: Uint8Array): number {
    const prefix = this.#prefix;
    if (prefix === undefined) return 0;
    const end = data.length - 1;
    // A number with 16 digits may be inexact. `decode` checks it.
    if (
      data[prefix.length] === ZERO ||
      data[end] !== CLOSING_BRACE ||
      end <= prefix.length ||
      end > prefix.length + 15
    )
      return 0;
    for (let i = 0; i < prefix.length; i++) if (data[i] !== prefix[i]) return 0;
    let sequence = 0;
    for (let i = prefix.length; i < end; i++) {
      const digit = data[i] ?? 0;
      if (digit < ZERO || digit > NINE) return 0;
      sequence = sequence * 10 + (digit - ZERO);
    }
    return sequence;
  }

  decode(data: Uint8Array): PubAckOutcome {
    const text = utf8.decode(data);
    let body: Fields | undefined;
    try {
      body = asObject(JSON.parse(text));
    } catch {
      return garbled(text);
    }
    const { stream, seq, duplicate, domain } = body ?? {};
    const error = asObject(body?.error);
    if (typeof stream === 'string' && this.#isElsewhere(stream, domain, error !== undefined)) {
      return this.#elsewhere(stream, domain);
    }
    if (error) {
      const code = typeof error.err_code === 'number' ? error.err_code : 0;
      const description = typeof error.description === 'string' ? error.description : 'refused';
      const status = typeof error.code === 'number' ? error.code : 0;
      return { kind: 'refused', reason: { code, description, retryable: PASSING.has(code) }, status };
    }
    if (typeof stream !== 'string' || typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) {
      return garbled(text);
    }
    if (stream !== this.#stream) {
      const description = `stored by stream ${stream} instead of ${this.#stream}`;
      return { kind: 'refused', reason: { code: 0, description, retryable: false }, status: 0 };
    }
    this.#learn(data, seq, text);
    return { kind: 'stored', sequence: seq, duplicate: duplicate === true };
  }

  /** A refusal contains the name of the stream that refused, but not its domain. */
  #isElsewhere(stream: string, domain: unknown, isRefusal: boolean): boolean {
    if (this.#domain === undefined) return false;
    if (isRefusal && domain === undefined) return stream !== this.#stream;
    return (domain ?? '') !== this.#domain;
  }

  #elsewhere(stream: string, domain: unknown): PubAckOutcome {
    const where = (name: string, of: unknown): string =>
      `${name} of ${typeof of === 'string' && of !== '' ? `domain ${of}` : 'no domain'}`;
    const meant = where(this.#stream, this.#domain);
    const description = `only stream ${where(stream, domain)} has answered, not ${meant}`;
    return { kind: 'elsewhere', reason: { code: 0, description, retryable: false } };
  }

  #learn(data: Uint8Array, sequence: number, text: string): void {
    const tail = `${sequence}}`;
    if (text.length === data.length && text.endsWith(`:${tail}`)) {
      this.#prefix = data.slice(0, data.length - tail.length);
    }
  }
}
