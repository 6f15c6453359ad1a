import { type JetStreamManager, NatsError, type StreamInfo } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import { askAgain } from '../client/ask-again.js';
import { explainTo } from '../client/manager.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from '../client/outcome.js';
import type { Wanted } from './stored.js';

/** Advice if a stream cannot be created. It contains the settings' names as the user knows them. */
export interface CreationAdvice {
  /** What to do if another stream has the wanted subjects. */
  otherSubjects: string;
  /** What to do if the account requires a limit of bytes. */
  limitBytes: string;
}

/**
 * A stream's configuration and state; undefined if it does not exist. Repeats the request until there is an answer.
 *
 * @param patienceMs how long to wait for an answer; default: the manager's timeout.
 */
export async function findStream(
  manager: JetStreamManager,
  name: string,
  patienceMs = manager.getOptions().timeout,
): Promise<StreamInfo | undefined> {
  try {
    return await askAgain(() => manager.streams.info(name), patienceMs);
  } catch (error) {
    if (apiErrorCode(error) === API_ERRORS.streamNotFound) return undefined;
    throw explainTo(manager, error, `look up ${name}`);
  }
}

/**
 * The name of another stream that listens to one of these subjects; undefined if there is none, or if listing is not
 * permitted.
 */
async function holderOf(
  manager: JetStreamManager,
  subjects: readonly string[],
  own: string,
): Promise<string | undefined> {
  try {
    for (const subject of subjects) {
      const names = await manager.streams.names(subject).next();
      const other = names.find((name) => name !== own);
      if (other !== undefined) return other;
    }
  } catch {
    // Not every user who may create streams may also list them.
  }
  return undefined;
}

async function refusal(
  manager: JetStreamManager,
  wanted: Wanted,
  advice: CreationAdvice,
  error: unknown,
): Promise<NatspocError> {
  const { name, subjects = [] } = wanted;
  const failed = (message: string): NatspocError => new NatspocError('failed', message, { cause: error });
  switch (apiErrorCode(error)) {
    case API_ERRORS.subjectOverlap: {
      const other = await holderOf(manager, subjects, name);
      const holder = other === undefined ? 'Another stream' : `Stream ${other}`;
      return failed(
        `${holder} already listens to ${subjects.join(', ')}, so ${name} cannot: ${advice.otherSubjects}.`,
      );
    }
    case API_ERRORS.maxBytesRequired:
      return failed(
        `Could not create ${name}: this account requires a limit of bytes (max_bytes) for each stream. ${advice.limitBytes}.`,
      );
    case API_ERRORS.maxStreamBytesExceeded:
      return failed(
        `Could not create ${name}: this account allows fewer bytes for a stream (max_bytes). ${advice.limitBytes}.`,
      );
    default:
      return toNatspocError(error, `create ${name}`);
  }
}

/**
 * Creates a stream. Repeats the request until there is an answer, for at most `patienceMs`.
 *
 * @returns the stream, and whether this call created it. If another client was faster, the stream has that client's
 *   settings.
 * @throws NatspocError with advice if the server refuses; `unreachable` if the server does not answer in time.
 */
export async function createStream(
  manager: JetStreamManager,
  wanted: Wanted,
  advice: CreationAdvice,
  patienceMs = manager.getOptions().timeout,
): Promise<{ info: StreamInfo; isOurs: boolean }> {
  try {
    const info = await askAgain(() => manager.streams.add(wanted), patienceMs);
    return { info, isOurs: true };
  } catch (error) {
    const theirs =
      apiErrorCode(error) === API_ERRORS.streamNameInUse
        ? await findStream(manager, wanted.name, patienceMs)
        : undefined;
    if (theirs) return { info: theirs, isOurs: false };
    if (apiErrorCode(error) === API_ERRORS.consumersExceeded && wanted.max_consumers !== undefined) {
      // The account allows fewer consumers per stream. So the stream gets no limit of its own.
      const { max_consumers: _, ...unlimited } = wanted;
      return createStream(manager, unlimited, advice, patienceMs);
    }
    throw await refusal(manager, wanted, advice, error);
  }
}

/** Deletes a stream that never stored a message. A stream that cannot be read or deleted is left in place. */
async function deleteUnused(manager: JetStreamManager, name: string): Promise<void> {
  try {
    const { state } = await manager.streams.info(name);
    if (state.last_seq === 0) await manager.streams.delete(name);
  } catch (error) {
    if (!(error instanceof NatsError)) throw error;
  }
}

/**
 * Deletes the streams of a creation that failed halfway. Deletes nothing if another client has written to the bucket in
 * the meantime.
 *
 * @param bucket the name of the bucket's stream, and the last sequence that was seen in it.
 * @param made names of the created streams, in the order of deletion.
 */
export async function takeBack(
  manager: JetStreamManager,
  bucket: { name: string; lastSequence: number },
  made: readonly string[],
): Promise<void> {
  if (made.length === 0) return;
  const now = await manager.streams.info(bucket.name).catch(() => undefined);
  if (now?.state.last_seq !== bucket.lastSequence) return;
  for (const name of made) await deleteUnused(manager, name);
}
