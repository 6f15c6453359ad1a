/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/**
 * natspoc as a library: partitioned, ordered, self-balancing consumption of a NATS JetStream stream.
 *
 *     const member = await joinGroup({ servers: 'nats://127.0.0.1:4222', handler: async (message, context) => { … } });
 *     const publisher = await createPublisher({ servers: 'nats://127.0.0.1:4222' });
 *     const stream = await openStream({ servers: 'nats://127.0.0.1:4222' });
 */

export type { Finding } from './admin/finding.js';
export type { CheckOptions, PauseOutcome, ReleaseOptions } from './admin/group-admin-contract.js';
export type { GroupChange } from './admin/group-entries.js';
export { eventsOf, type GroupEvent } from './admin/group-event.js';
export type { GroupStatus } from './admin/group-status.js';
export type { HeldUpOutcome } from './admin/held-up.js';
export type { Tenure } from './admin/history.js';
export type { LeaseStatus } from './admin/lease-status.js';
export type { MemberStatus } from './admin/members.js';
export type { RedriveSummary } from './admin/redrive.js';
export type { ReleaseOutcome } from './admin/release.js';
export type { ResizeOutcome, ResizePlan } from './admin/resize.js';
export type { SeekOutcome } from './admin/seek.js';
export type { SeekStep, SeekTarget } from './admin/seek-target.js';
export type { StreamStatus } from './admin/stream-status.js';
export type { TrimStep } from './admin/trim.js';
export type { BatchLimits } from './config/batch.js';
export type { Backoff, Dealt, OnExhausted } from './config/retry.js';
export type { StartFrom, StartFromText } from './config/start-from.js';
export type { HealthOptions } from './health/server.js';
export { type ErrorCode, NatspocError } from './lib/errors.js';
export { textOf } from './lib/utf8.js';
export { VERSION } from './lib/version.js';
export { createPublisher, joinGroup, openStream } from './library.js';
export type { FailedAttempt, MemberCounters, MemberEventMap } from './member/member-events.js';
export { FailedAt, StopConsuming } from './member/partition/handler.js';
export type { HandlerLog, Logger } from './member/partition/logger.js';
export type { StateContext } from './member/partition/partition-state.js';
export { type Failure, InvalidMessage, type Judge, type Verdict } from './member/partition/verdict.js';
export { describeTrend, formatMemoryLine, type MemorySample } from './member/stats/memory.js';
export type { HandleTrace } from './member/traced-handler.js';
export type { Concern } from './nats/client/concern.js';
export type { NatsConnection } from './nats/client/connection.js';
export type { Connecting, StreamOptions } from './options/connecting.js';
export type { GroupPublisher } from './options/group-publisher.js';
export type {
  BatchContext,
  BatchHandler,
  Decoding,
  Handler,
  HandlerContext,
  Handling,
  Message,
  Stateful,
} from './options/handling.js';
export type { GroupMember, PartitionStatus, Standing } from './options/joined.js';
export type { JoinGroupOptions } from './options/member.js';
export type {
  GroupAdmin,
  GroupFollower,
  RedriveOptions,
  StreamAdmin,
  TailOptions,
} from './options/opened.js';
export type { CreatePublisherOptions } from './options/publisher.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from './options/standard-schema.js';
export type { OpenStreamOptions } from './options/stream.js';
export type { Trimmed } from './ports/index.js';
export type { StoredMessage } from './ports/stream-admin.js';
export type { FoundLetter } from './protocol/dead-letter.js';
export { withoutOrders } from './protocol/dead-letter.js';
export type { AbortReason, Report } from './protocol/events.js';
export { KEY_HEADER, type Layout, partitionOf, partitionSubject } from './protocol/layout.js';
export type { MemberStats, PartitionStats } from './protocol/member-stats.js';
export type { StreamMessage } from './protocol/message.js';
export type { LeaseReason } from './protocol/records.js';
export { PublishError } from './publisher/publish-error.js';
export type {
  Confirmation,
  OutgoingMessage,
  PublishCounters,
  PublishFailure,
  PublishLimits,
  PublishObserver,
  PublishTrace,
} from './publisher/types.js';
