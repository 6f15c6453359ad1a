import type { JetStreamManager } from 'nats';
import { sleep, systemClock } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from './handles.js';
import { API_ERRORS, apiErrorCode, isUnknownOutcome } from './outcome.js';
import { within } from './placement.js';

/** A stream is gone if the server does not know it for this time, in milliseconds. */
const CONFIRM_MS = 2_000;
/** Interval of the requests in that time, in milliseconds. */
const CONFIRM_EVERY_MS = 100;
/** How long each of them waits for its answer, in milliseconds. It bounds how long a lost request holds back a renewal. */
const ANSWER_MS = 1_000;

type Asker = Pick<NatsHandles, 'manager' | 'clock'>;

/** The look-ups in progress, by stream. All callers share them. */
const running = new WeakMap<JetStreamManager, Map<string, Promise<boolean>>>();

/**
 * True if an error about a stream may pass: the outcome of the request is unknown, or the stream exists after all. While
 * a server enables JetStream, it answers for a moment that its streams do not exist. So a missing stream is looked up
 * again for two seconds. A look-up without an answer proves nothing, so the error may pass.
 */
export async function mayPass(error: unknown, handles: Asker, stream: string): Promise<boolean> {
  return isMissing(error) ? !(await isGone(handles, stream)) : isUnknownOutcome(error);
}

const isMissing = (error: unknown): boolean =>
  error instanceof NatspocError
    ? error.code === 'stream-missing'
    : apiErrorCode(error) === API_ERRORS.streamNotFound;

/** True if the server does not know a stream for two seconds. */
export function isGone(handles: Asker, stream: string): Promise<boolean> {
  const { manager } = handles;
  const streams = running.get(manager) ?? new Map<string, Promise<boolean>>();
  running.set(manager, streams);
  let asking = streams.get(stream);
  if (!asking) {
    asking = confirm(handles, stream).finally(() => streams.delete(stream));
    streams.set(stream, asking);
  }
  return asking;
}

async function confirm({ manager, clock = systemClock }: Asker, stream: string): Promise<boolean> {
  const until = clock.now() + CONFIRM_MS;
  while (clock.now() < until) {
    await sleep(clock, CONFIRM_EVERY_MS);
    try {
      await within(manager.streams.info(stream), ANSWER_MS, clock);
      return false;
    } catch (error) {
      if (!isMissing(error)) return false;
    }
  }
  return true;
}
