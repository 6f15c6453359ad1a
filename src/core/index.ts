/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/**
 * natspoc as a library: partitioned, ordered, self-balancing consumption of a NATS JetStream stream.
 *
 *     const member = await joinGroup({ servers: 'nats://127.0.0.1:4222', handler: async (message, context) => { … } });
 *     const publisher = await createPublisher({ servers: 'nats://127.0.0.1:4222' });
 */

export { type Handler, type HandlerContext, type Logger, StopConsuming } from './consume/handler.js';
export { textOf } from './consume/output.js';
export type { Afterwards, Backoff, Dealt } from './consume/retry.js';
export type { Trimmed } from './consume/trimmed.js';
export { type ErrorCode, NatspocError } from './errors.js';
export type { AbortReason, Report } from './group/events.js';
export type { LeaseReason } from './group/records.js';
export type { GroupMember } from './group-member.js';
export type { HealthOptions } from './health/server.js';
export { KEY_HEADER, type Layout, partitionOf, partitionSubject } from './layout.js';
export { createPublisher, type GroupPublisher, joinGroup } from './library.js';
export type { PartitionStatus } from './member/contract.js';
export type { FailedAttempt, MemberCounters, MemberEventMap } from './member-events.js';
export type { NatsConnection } from './nats/connection.js';
export { describeTrend, formatMemoryLine, type MemorySample } from './observe/memory.js';
export type { Connecting, CreatePublisherOptions, JoinGroupOptions, StreamOptions } from './options.js';
export type { StreamMessage } from './ports.js';
export type {
  Confirmation,
  OutgoingMessage,
  PublishCounters,
  PublishFailure,
  PublishObserver,
} from './publish/types.js';
export type { StartFrom, StartFromText } from './settings/start-from.js';
export { VERSION } from './version.js';
