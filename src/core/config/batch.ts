import { asObject } from '../lib/json.js';

/** How large a batch may be, and how long it waits for more messages. */
export interface BatchLimits {
  /** Maximum number of messages, 1 to 65,536. */
  messages: number;
  /** Maximum total size of the payloads, in bytes, 1 to 2^30. A message larger than this limit forms its own batch. */
  bytes: number;
  /** How long an incomplete batch waits after its first message, in milliseconds, 0 to 60,000. */
  waitMs: number;
}

const DEFAULTS: BatchLimits = { messages: 500, bytes: 4 * 2 ** 20, waitMs: 100 };

const RANGES: Record<keyof BatchLimits, readonly [least: number, most: number]> = {
  messages: [1, 65_536],
  bytes: [1, 2 ** 30],
  waitMs: [0, 60_000],
};

/** The values that {@link isBatch} accepts, as the end of the sentence "… is not …". */
export const BATCH_ALLOWED =
  'an object with messages (1 to 65536), bytes (1 to 1073741824) and waitMs (0 to 60000), or some of them';

/** True for an object with some or all limits of a batch. */
export function isBatch(value: unknown): value is Partial<BatchLimits> {
  const limits = asObject(value);
  if (!limits) return false;
  const known: Readonly<Record<string, readonly [number, number]>> = RANGES;
  return Object.entries(limits).every(([name, limit]) => {
    const [least, most] = (Object.hasOwn(known, name) ? known[name] : undefined) ?? [1, 0];
    return (
      limit === undefined || (Number.isSafeInteger(limit) && Number(limit) >= least && Number(limit) <= most)
    );
  });
}

/** Fills in the defaults of missing limits. */
export function batchLimits({ messages, bytes, waitMs }: Partial<BatchLimits> = {}): BatchLimits {
  return {
    messages: messages ?? DEFAULTS.messages,
    bytes: bytes ?? DEFAULTS.bytes,
    waitMs: waitMs ?? DEFAULTS.waitMs,
  };
}
