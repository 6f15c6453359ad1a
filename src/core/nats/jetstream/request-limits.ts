import type { ConsumerConfig } from 'nats';
import { parseDuration } from '../../lib/units.js';

/** How long a request may wait on the server. */
const EXPIRES_MS = 30_000;
const NANOS_PER_MS = 1_000_000;

/** The server's answer to a request that exceeds a limit of the consumer (status 409). */
const EXCEEDED = /^Exceeded MaxRequest(Batch|Expires|MaxBytes) of (\S+)$/;

const positive = (value: number | undefined): number =>
  value !== undefined && value > 0 ? value : Number.POSITIVE_INFINITY;

/**
 * The server's limits for a pull request: `max_request_batch`, `max_request_expires` and `max_request_max_bytes` of the
 * consumer. A server or an account can set them for all consumers.
 */
export class RequestLimits {
  messages: number;
  bytes: number;
  expiresMs: number;

  constructor({ max_batch, max_bytes, max_expires }: Partial<ConsumerConfig> = {}) {
    this.messages = positive(max_batch);
    this.bytes = positive(max_bytes);
    this.expiresMs = Math.min(EXPIRES_MS, positive(max_expires) / NANOS_PER_MS);
  }

  /** @returns false if the refusal contains no lower limit. */
  learn(refusal: string): boolean {
    const [, name, text = ''] = EXCEEDED.exec(refusal) ?? [];
    const value = name === 'Expires' ? (parseDuration(text) ?? 0) : Number(text);
    if (!(value > 0)) return false;
    const field = name === 'Batch' ? 'messages' : name === 'Expires' ? 'expiresMs' : 'bytes';
    if (value >= this[field]) return false;
    this[field] = value;
    return true;
  }
}
