import { type Fields, parseObject } from '../lib/json.js';

/**
 * What can be asked of a running member, and how it travels: JSON over the endpoints of its micro service. The
 * answer says that the member has taken the order, not that it is carried out: the leases show that.
 */

/** The endpoints of every member. */
export const CONTROL_VERBS = ['release', 'stop'] as const;
export type ControlVerb = (typeof CONTROL_VERBS)[number];

/** What a member answers its group: orders, whether it is there, and its statistics. */
export type MemberVerb = ControlVerb | 'ping' | 'stats';

/**
 * Where a member answers: `natspoc.<stream>.<group>.<session>.<verb>`. It holds the group, so that permissions can keep a
 * member of one group from answering for those of another. Names are validated where they come in.
 */
export const memberSubject = (stream: string, group: string, session: string, verb: MemberVerb): string =>
  `natspoc.${stream}.${group}.${session}.${verb}`;

/** Some partitions by number, or all that the member owns. */
export type PartitionChoice = readonly number[] | 'all';

/** Give partitions away: to a member by name or session id, or to whoever has least. */
export interface ReleaseRequest {
  partitions: PartitionChoice;
  to: string | null;
}

/** What a member does when it is asked. Each returns the partitions that the order concerns. */
export interface MemberControl {
  release(request: ReleaseRequest): number[];
  /** Leave the group and end. */
  stop(): number[];
}

/** The fields of a request; none for an empty one; undefined for anything that is no JSON object. */
const fieldsOf = (bytes: Uint8Array): Fields | undefined => (bytes.length === 0 ? {} : parseObject(bytes));

const isPartition = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isChoice = (value: unknown): value is PartitionChoice =>
  value === 'all' || (Array.isArray(value) && value.every(isPartition));

/** The order in a request to `release`, or undefined where there is none that we understand. */
export function decodeRelease(bytes: Uint8Array): ReleaseRequest | undefined {
  const { partitions, to = null } = fieldsOf(bytes) ?? {};
  return isChoice(partitions) && (to === null || typeof to === 'string') ? { partitions, to } : undefined;
}

/** The partitions in an answer, or undefined where it is none of ours. */
export function decodeControlAnswer(bytes: Uint8Array): number[] | undefined {
  const { partitions } = fieldsOf(bytes) ?? {};
  return Array.isArray(partitions) && partitions.every(isPartition) ? partitions : undefined;
}

/** A request or an answer as bytes. */
export function encodeControl(value: ReleaseRequest | { partitions: number[] }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/**
 * How a request to a member ended. `taken`: it carries the order out for these partitions; `gone`: the server
 * knows nobody of that session; `silent`: no answer in time; `refused`: an error, as the member says; `denied`: the
 * server does not permit us to ask.
 */
export type ControlAnswer =
  | { kind: 'taken'; partitions: number[] }
  | { kind: 'gone' }
  | { kind: 'silent' }
  | { kind: 'refused' | 'denied'; message: string };

/** Asks members of a group. Never rejects. */
export interface ControlClient {
  ask(
    session: string,
    verb: ControlVerb,
    request: Uint8Array | undefined,
    timeoutMs: number,
  ): Promise<ControlAnswer>;
}
