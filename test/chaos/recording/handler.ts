/**
 * The handler of a run's members. It records the start and end of each call and does a little work. Its mode file can make it misbehave.
 */
import type { BatchContext, Handler } from '../../../src/core/member/partition/handler.js';
import type { StreamMessage } from '../../../src/core/protocol/message.js';
import { readPayload } from '../traffic/payload.js';
import { LineFile } from './line-file.js';
import { MODE_POLL_MS, readMode } from './mode.js';
import { type CallEnd, type CallRecord, monotonicUs } from './records.js';

const { CHAOS_NAME = '', CHAOS_CALLS = '', CHAOS_MODE = '' } = process.env;

/** The event loop is checked every `TICK_MS`. Breaks longer than `STALL_US` are recorded. */
const TICK_MS = 20;
const STALL_US = 60_000;

const file = new LineFile<CallRecord>(CHAOS_CALLS);
file.write(['process', monotonicUs(), CHAOS_NAME, process.pid]);

let mode = readMode(CHAOS_MODE);
setInterval(() => {
  mode = readMode(CHAOS_MODE);
}, MODE_POLL_MS).unref();

let tickedAt = monotonicUs();
setInterval(() => {
  const now = monotonicUs();
  if (now - tickedAt > STALL_US) file.write(['stall', tickedAt, now]);
  tickedAt = now;
}, TICK_MS).unref();

/** Most messages take no time. Some take a few milliseconds, like a handler that waits for another service. */
const usualMs = (number: number): number => (number % 16 === 0 ? 8 : number % 4 === 0 ? 1 : 0);

const workMs = (number: number): number =>
  mode.kind === 'slow' || mode.kind === 'deaf' ? mode.ms : usualMs(number);

const payloadOf = (message: StreamMessage, key: string | null): ReturnType<typeof readPayload> =>
  readPayload(Buffer.from(message.data).toString('utf8'), key);

/** How long a handler would work on a message if it started now, in milliseconds. */
export const plannedMs = (message: StreamMessage, key: string | null): number =>
  workMs(payloadOf(message, key).number);

/** Resolves with `handled` after this time. If the handler `heeds` its signal, an abort resolves it with `stopped` at once. */
function wait(ms: number, signal: AbortSignal, heeds: boolean): Promise<CallEnd> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('handled'), ms);
    const stop = (): void => {
      if (!heeds) return;
      clearTimeout(timer);
      resolve('stopped');
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

let calls = 0;

/** The number of the next call. */
export const nextCall = (): number => calls + 1;

/**
 * Handles one message, and records its start and its end.
 *
 * @param batch the number of the first call of the batch; null for a single message.
 *
 * @throws (or rejects) if the call fails on purpose, or stops because its signal has aborted.
 */
export function handleOne(
  message: StreamMessage,
  context: BatchContext,
  key: string | null,
  batch: number | null = null,
): Promise<void> | undefined {
  // The time is taken first: the process can be stopped at any point.
  const at = monotonicUs();
  const call = ++calls;
  const { partition, epoch, attempt, signal } = context;
  const { number, intact } = payloadOf(message, key);
  const now = mode;
  const deaf = now.kind === 'deaf';
  const { sequence } = message;
  const first = batch ?? call;
  file.write(['start', at, call, partition, epoch, sequence, attempt, key, number, intact, deaf, first]);
  const end = (how: CallEnd): undefined => {
    file.write(['end', monotonicUs(), call, how]);
    if (how === 'failed') throw new Error('failed on purpose');
    if (how === 'stopped') throw signal.reason;
  };
  if (now.kind === 'failing' && Math.random() < now.share) return end('failed');
  const ms = workMs(number);
  if (ms === 0) return end('handled');
  signal.addEventListener('abort', () => file.write(['told', monotonicUs(), call]), { once: true });
  return wait(ms, signal, !deaf).then(end);
}

const handle: Handler = (message, context) => handleOne(message, context, context.key);

export default handle;
