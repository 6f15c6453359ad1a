import { decode, type Fields, isCount, parseObject } from '../lib/json.js';

/**
 * Requests to a running member: JSON over the endpoints of its micro service. An answer means only that the member has
 * accepted the request. The leases show when it has been carried out.
 */

/** The endpoints through which every member receives requests. */
export const CONTROL_VERBS = ['release', 'stop', 'retry', 'skip'] as const;
export type ControlVerb = (typeof CONTROL_VERBS)[number];

/** The requests that a member answers: orders, probes (`ping`), and queries of its statistics (`stats`). */
export type MemberVerb = ControlVerb | 'ping' | 'stats';

/**
 * The subject on which a member answers: `natspoc.<stream>.<group>.<session>.<verb>`. It contains the group. So
 * permissions can keep a member of one group from answering for another group. The caller has to validate the names.
 */
export const memberSubject = (stream: string, group: string, session: string, verb: MemberVerb): string =>
  `natspoc.${stream}.${group}.${session}.${verb}`;

/** Some partitions, or all partitions that the member owns. */
export type PartitionChoice = readonly number[] | 'all';

/**
 * A request to hand partitions over. `to`: name or session id of the next owner; null: the member with the fewest
 * partitions.
 */
export interface ReleaseRequest {
  partitions: PartitionChoice;
  to: string | null;
}

/** Retry at once the messages that hold up these partitions. */
export interface RetryRequest {
  partitions: PartitionChoice;
}

/** Skip a failed message, or store it as a dead letter. */
export interface SkipRequest {
  partition: number;
  sequence: number;
  deadLetter: boolean;
  by: string;
}

/** Executes requests. Each function returns the partitions that the request affects. */
export interface MemberControl {
  release(request: ReleaseRequest): number[];
  /** Returns the partitions that were held up. */
  retry(request: RetryRequest): number[];
  /** Returns an empty list if the message does not hold up its partition. */
  skip(request: SkipRequest): number[];
  /** Makes the member leave the group and end. */
  stop(): number[];
}

/** The fields of a request, which may be empty; undefined if it is not a JSON object. */
const fieldsOf = (bytes: Uint8Array): Fields | undefined => (bytes.length === 0 ? {} : parseObject(bytes));

const isChoice = (value: unknown): value is PartitionChoice =>
  value === 'all' || (Array.isArray(value) && value.every(isCount));

/** Decodes a `release` request, if valid. */
export function decodeRelease(bytes: Uint8Array): ReleaseRequest | undefined {
  const { partitions, to = null } = fieldsOf(bytes) ?? {};
  return isChoice(partitions) && (to === null || typeof to === 'string') ? { partitions, to } : undefined;
}

/** Decodes a `retry` request, if valid. */
export function decodeRetry(bytes: Uint8Array): RetryRequest | undefined {
  const { partitions } = fieldsOf(bytes) ?? {};
  return isChoice(partitions) ? { partitions } : undefined;
}

/** Decodes a `skip` request, if valid. */
export function decodeSkip(bytes: Uint8Array): SkipRequest | undefined {
  return decode<SkipRequest>(fieldsOf(bytes), {
    partition: isCount,
    sequence: isCount,
    deadLetter: (value): value is boolean => typeof value === 'boolean',
    by: (value): value is string => typeof value === 'string',
  });
}

/** Decodes the partitions in an answer, if valid. */
export function decodeControlAnswer(bytes: Uint8Array): number[] | undefined {
  const { partitions } = fieldsOf(bytes) ?? {};
  return Array.isArray(partitions) && partitions.every(isCount) ? partitions : undefined;
}

/** Encodes a request. */
export function encodeControl(value: ReleaseRequest | RetryRequest | SkipRequest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/**
 * The outcome of a request. `taken`: accepted for these partitions. `gone`: no member answers for that session. `silent`: no answer in
 * time. `refused`: the member's error. `denied`: the server does not permit the request.
 */
export type ControlAnswer =
  | { kind: 'taken'; partitions: number[] }
  | { kind: 'gone' }
  | { kind: 'silent' }
  | { kind: 'refused' | 'denied'; message: string };

/** Sends requests to members of a group. */
export interface ControlClient {
  /** @throws NatspocError `unreachable` if the connection was lost. */
  ask(
    session: string,
    verb: ControlVerb,
    request: Uint8Array | undefined,
    timeoutMs: number,
  ): Promise<ControlAnswer>;
}
