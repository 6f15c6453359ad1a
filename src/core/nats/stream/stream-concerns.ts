import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { countOf, formatBytes, formatCount, formatDuration } from '../../lib/units.js';
import { ALL_USES, type Concern, fieldOf } from '../client/concern.js';
import { collide } from './collide.js';
import { listensTo, transformed } from './stream-layout.js';

const NANOS_PER_MS = 1_000_000;
/** A shorter `max_age` drops messages before an operator can react. */
const SHORT_AGE_MS = 3_600_000;
/**
 * A stream must allow consumers to be inactive for at least this time, in milliseconds. The server deletes the reader of
 * a vanished process after it.
 */
const READER_THRESHOLD_MS = 30_000;
/** nats-server's default. */
const DEFAULT_CONSUMERS = 1_000;

type Found = Omit<Concern, 'setting'>;

const refused = (message: string, uses = ALL_USES): Found => ({ severity: 'refused', uses, message });
const warning = (message: string, uses = ALL_USES): Found => ({ severity: 'warning', uses, message });

/** The requirements that a stream is checked against. */
export interface StreamNeeds {
  /** The wildcard of the subjects that must be stored unchanged. */
  wildcard: string;
  /** For our own layout: the wildcard of subjects with tokens after the partition. */
  tokens?: string;
  partitions: number;
  /** True if the server limits the consumers of streams without `max_consumers` (nats-server 2.15). */
  hasDefaultConsumers: boolean;
  /** How to choose another stream, with the setting's name as the user knows it. */
  another: string;
}

type Judge = (stream: StreamConfig, needs: StreamNeeds) => Found | undefined;

/** The rule for each setting. docs/streams.md lists all rules. */
const RULES: Readonly<Record<string, Judge>> = {
  retention: ({ name, retention }, { another }) => {
    if (retention === RetentionPolicy.Interest) {
      return refused(
        `Stream ${name} has interest retention: it deletes messages before a group has handled them. ` +
          `Change that with "nats stream edit ${name} --retention limits" (nats-server 2.10 or newer), or ${another}.`,
      );
    }
    if (retention !== RetentionPolicy.Workqueue) return undefined;
    return refused(
      `Stream ${name} has work queue retention: it deletes each message on delivery, handled or not. ` +
        `A server cannot change work queue retention: ${another}.`,
    );
  },
  no_ack: ({ name, no_ack }) =>
    no_ack
      ? refused(
          `Stream ${name} has no_ack: it confirms no messages, so lost messages look like stored messages. ` +
            `Change that with "nats stream edit ${name} --ack".`,
          ['publish'],
        )
      : undefined,
  sealed: ({ name, sealed }) =>
    sealed
      ? refused(`Stream ${name} is sealed: it accepts no messages, and this cannot be undone.`, ['publish'])
      : undefined,
  mirror: ({ name, mirror }, { another }) =>
    mirror &&
    refused(
      `Stream ${name} is a mirror of ${mirror.name}, and accepts no messages. Use ${mirror.name}, or ${another}.`,
    ),
  subjects: (stream, { wildcard, tokens }) =>
    tokens !== undefined && !stream.mirror && !listensTo(stream, wildcard)
      ? refused(
          `Stream ${stream.name} does not listen to ${wildcard}, only to subjects with more tokens. ` +
            `Add it with "nats stream edit ${stream.name} --subjects", or let another client publish.`,
          ['publish'],
        )
      : undefined,
  subject_transform: (stream, { wildcard, tokens }) => {
    const { name, subject_transform } = stream;
    if (!subject_transform || !collide(subject_transform.src || '>', wildcard)) return undefined;
    const isOurs = tokens !== undefined && transformed(stream).some((subject) => collide(subject, tokens));
    return refused(
      `Stream ${name} stores ${subject_transform.src || '>'} under other subjects (subject_transform), which no member reads. ` +
        `Change that with "nats stream edit ${name} --no-transform".`,
      isOurs ? ['publish'] : ALL_USES,
    );
  },
  consumer_limits: ({ name, consumer_limits }) => {
    const limitMs = (consumer_limits?.inactive_threshold ?? 0) / NANOS_PER_MS;
    if (limitMs <= 0 || limitMs >= READER_THRESHOLD_MS) return undefined;
    return refused(
      `Stream ${name} lets consumers be inactive for ${formatDuration(limitMs)} (consumer_limits), but members need ${formatDuration(READER_THRESHOLD_MS)}. ` +
        `Change inactive_threshold with "nats stream edit ${name} --interactive".`,
      ['handle'],
    );
  },
  max_consumers: ({ name, max_consumers }, { partitions, hasDefaultConsumers }) => {
    const limit = max_consumers > 0 ? max_consumers : hasDefaultConsumers ? DEFAULT_CONSUMERS : undefined;
    if (limit === undefined || limit >= partitions) return undefined;
    return warning(
      `Stream ${name} allows ${formatCount(limit)} consumers, but a group of ${formatCount(partitions)} partitions needs one consumer for each partition. ` +
        `Change that with "nats stream edit ${name} --max-consumers 1000000" (nats-server 2.15 or newer).`,
      ['handle'],
    );
  },
  max_msgs_per_subject: ({ name, max_msgs_per_subject: limit, discard }) =>
    limit > 0 && discard === DiscardPolicy.Old
      ? warning(
          `Stream ${name} keeps ${countOf(limit, 'message')} of a subject (max_msgs_per_subject) and drops older messages, handled or not. ` +
            `Change that with "nats stream edit ${name} --max-msgs-per-subject=-1".`,
        )
      : undefined,
  discard: ({ name, discard, max_msgs, max_bytes }) => {
    if (discard !== DiscardPolicy.Old || (max_msgs <= 0 && max_bytes <= 0)) return undefined;
    const limits = [
      ...(max_msgs > 0 ? [`${formatCount(max_msgs)} messages`] : []),
      ...(max_bytes > 0 ? [formatBytes(max_bytes)] : []),
    ];
    return warning(
      `Stream ${name} keeps ${limits.join(' and ')} and drops the oldest when it is full, handled or not. ` +
        `"nats stream edit ${name} --discard new" refuses new messages instead.`,
    );
  },
  max_age: ({ name, max_age }) => {
    const ageMs = max_age / NANOS_PER_MS;
    if (ageMs <= 0 || ageMs >= SHORT_AGE_MS) return undefined;
    return warning(
      `Stream ${name} drops messages after ${formatDuration(ageMs)} (max_age), handled or not. ` +
        `Change that with "nats stream edit ${name} --max-age 7d".`,
    );
  },
  storage: ({ name, storage }) =>
    storage === StorageType.Memory
      ? warning(
          `Stream ${name} is kept in memory: its messages are gone when the server stops. That cannot be changed.`,
        )
      : undefined,
  persist_mode: (stream) =>
    fieldOf(stream, 'persist_mode') === 'async'
      ? warning(
          `Stream ${stream.name} confirms messages before they are written (persist_mode async): a crash of the server loses confirmed messages.`,
        )
      : undefined,
  subject_delete_marker_ttl: (stream) =>
    fieldOf(stream, 'subject_delete_marker_ttl')
      ? warning(
          `Stream ${stream.name} stores an empty message when the last message of a subject expires (subject_delete_marker_ttl): handlers get it like any other message. ` +
            `It has the header Nats-Marker-Reason.`,
          ['handle'],
        )
      : undefined,
};

/** The concerns about a stream's settings, refusals first. */
export function streamConcerns(stream: StreamConfig, needs: StreamNeeds): Concern[] {
  return Object.entries(RULES).flatMap(([setting, judge]) => {
    const found = judge(stream, needs);
    return found ? [{ setting, ...found }] : [];
  });
}
