import { NatsError } from 'nats';
import { type ErrorCode, messageOf, NatspocError } from '../../lib/errors.js';
import { withoutStop } from '../../lib/text.js';

/** JetStream API error codes that natspoc handles (server/errors.json of nats-server). */
export const API_ERRORS = {
  streamNotFound: 10059,
  consumerNotFound: 10014,
  messageNotFound: 10037,
  wrongLastSequence: 10071,
  /**
   * Like `wrongLastSequence`, but without the sequence. Servers since 2.12 send it while another write is being
   * replicated.
   */
  wrongLastSequenceInFlight: 10164,
  streamNameInUse: 10058,
  subjectOverlap: 10065,
  maxBytesRequired: 10113,
  maxStreamBytesExceeded: 10122,
  jetStreamNotEnabled: 10076,
  jetStreamNotEnabledForAccount: 10039,
  insufficientReplicas: 10005,
  insufficientResources: 10023,
  storageExceeded: 10047,
  memoryExceeded: 10028,
  consumersExceeded: 10026,
  accountResourcesExceeded: 10002,
  clusterUnavailable: 10008,
  clusterNotLeader: 10009,
  streamOffline: 10118,
  consumerOffline: 10119,
} as const;

/** Temporary errors, sent while a cluster elects a leader or a server restarts. */
const PASSING: readonly (number | undefined)[] = [
  API_ERRORS.clusterUnavailable,
  API_ERRORS.clusterNotLeader,
  API_ERRORS.streamOffline,
  API_ERRORS.consumerOffline,
];

/** Limits and shortages. They last until an operator raises the limit or resources are freed. */
const LIMITS: readonly (number | undefined)[] = [
  API_ERRORS.consumersExceeded,
  API_ERRORS.memoryExceeded,
  API_ERRORS.storageExceeded,
  API_ERRORS.insufficientResources,
  API_ERRORS.insufficientReplicas,
];

/** The JetStream API error code of an error, if it has one. */
export function apiErrorCode(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}

/** True if the server answered that it cannot handle the request for now. */
export const isUnavailable = (error: unknown): boolean => PASSING.includes(apiErrorCode(error));

/** True if the request may have been carried out (timeout, disconnect), or if the error is temporary (no leader). */
export function isUnknownOutcome(error: unknown): boolean {
  if (error instanceof NatspocError) return error.code === 'unreachable' || isUnknownOutcome(error.cause);
  if (!(error instanceof NatsError)) return false;
  if (isUnavailable(error)) return true;
  return ['TIMEOUT', '503', 'DISCONNECT', 'CONNECTION_CLOSED', 'CONNECTION_DRAINING'].includes(error.code);
}

/** True if a limit or a shortage of the server is the cause. */
export const isLimit = (error: unknown): boolean => LIMITS.includes(apiErrorCode(error));

/** True if the stream or the account has reached its limit of consumers. */
export const isFull = (error: unknown): boolean =>
  apiErrorCode(error instanceof NatspocError ? error.cause : error) === API_ERRORS.consumersExceeded;

/** Converts a NatsError to a NatspocError. Returns any other value unchanged. */
export function explain(error: unknown, doing: string): unknown {
  return error instanceof NatsError ? toNatspocError(error, doing) : error;
}

/** Converts any error to a NatspocError. The message begins with "Could not" and the text `doing`. */
export function toNatspocError(error: unknown, doing: string): NatspocError {
  if (error instanceof NatspocError) return error;
  const natsError = error instanceof NatsError ? error : undefined;
  const because = (code: ErrorCode, why: string): NatspocError =>
    new NatspocError(code, `Could not ${doing}: ${why}.`, { cause: error });
  if (natsError?.permissionContext) {
    const { operation, subject } = natsError.permissionContext;
    const verb = operation === 'subscription' ? 'subscribe to' : operation;
    return because('not-permitted', `not permitted to ${verb} ${subject}`);
  }
  switch (apiErrorCode(error)) {
    case API_ERRORS.jetStreamNotEnabled:
    case API_ERRORS.jetStreamNotEnabledForAccount:
      return jetStreamDisabled(error);
    case API_ERRORS.streamNotFound:
      return because('stream-missing', 'the stream or bucket does not exist');
    case API_ERRORS.consumersExceeded:
      return because(
        'failed',
        // The reason of a hold-up holds 200 characters. The remedy must not be cut off.
        'its limit of consumers is reached: raise max_consumers of the stream or of the account',
      );
    default:
  }
  const refusal = natsError?.api_error?.description;
  if (refusal !== undefined && isUnknownOutcome(error))
    return because(isLimit(error) ? 'failed' : 'unreachable', refusal);
  if (natsError?.code === '503') return jetStreamDisabled(error);
  if (natsError?.code === 'TIMEOUT') return because('unreachable', 'the server did not answer in time');
  if (isUnknownOutcome(error)) return because('unreachable', 'the connection to NATS was lost');
  return because('failed', withoutStop(messageOf(error)));
}

function jetStreamDisabled(cause: unknown): NatspocError {
  return new NatspocError(
    'jetstream-disabled',
    'JetStream does not answer: it is disabled on the server or for this account. Start the server with -js.',
    { cause },
  );
}
