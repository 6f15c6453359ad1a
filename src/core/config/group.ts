import { parseMessageKey } from '../protocol/message-key.js';
import { duration, filter, integer, memberName, NAME_ALLOWED, name, SHORT_ENOUGH, size } from './parse.js';
import { define } from './setting.js';
import { FROM_ALLOWED, parseFrom } from './start-from.js';

/** Settings of a member in its group. */
export const GROUP = {
  name: define({
    flag: 'name',
    env: 'MEMBER_NAME',
    parse: memberName,
    allowed: '1 to 128 characters without control characters',
    help: 'name of this member, for people (default HOST-PID)',
  }),
  group: define({
    flag: 'group',
    env: 'CONSUMER_GROUP',
    fallback: 'default',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'group; each group receives every message',
  }),
  key: define({
    flag: 'key',
    env: 'GROUP_KEY',
    parse: (text) => parseMessageKey(text)?.text,
    allowed: 'subject:2, subject:2,3, header:NAME or json:PATH',
    help: 'read any existing stream, partitioned by this key: tokens of the subject, a header, or a path in a JSON payload',
  }),
  filter: define({
    flag: 'filter',
    env: 'GROUP_FILTER',
    parse: filter,
    allowed: `a subject that may have wildcards, ${SHORT_ENOUGH}, such as orders.*.created`,
    help: 'with --key: subjects of the stream that the group handles (default all)',
  }),
  ttlMs: define({
    flag: 'ttl',
    env: 'LEASE_TTL',
    fallback: '10s',
    ...duration('1s', '1h', '10s'),
    help: 'a member that cannot renew within this time loses its leases',
  }),
  probeIntervalMs: define({
    flag: 'probe-interval',
    env: 'PROBE_INTERVAL',
    fallback: '400ms',
    ...duration('0s', '1m', '400ms'),
    help: 'how often members probe each other, to find a dead member before its ttl; 0s: never',
  }),
  rejoinWithinMs: define({
    flag: 'rejoin-within',
    env: 'REJOIN_WITHIN',
    ...duration('1s', '1h', '30s'),
    help: 'for a rolling restart: after a signal, keep the partitions this long for the next member of this name',
  }),
  drainTimeoutMs: define({
    flag: 'drain-timeout',
    env: 'DRAIN_TIMEOUT',
    fallback: '5s',
    ...duration('0s', '1h', '5s'),
    help: 'how long a handler may take to finish before its partition moves anyway',
  }),
  commitIntervalMs: define({
    flag: 'commit-interval',
    env: 'COMMIT_INTERVAL',
    fallback: '200ms',
    ...duration('1ms', '1m', '200ms'),
    help: 'how often to commit positions while busy, at least 1 ms for each partition of a member; a crash repeats at most the messages of one interval',
  }),
  commitEvery: define({
    flag: 'commit-every',
    env: 'COMMIT_EVERY',
    fallback: '1000',
    ...integer(1, 1_000_000),
    help: 'also commit after this many messages of a partition; with 1, a crash repeats at most one message, at the cost of a write for each message',
  }),
  from: define({
    flag: 'from',
    env: 'CONSUME_FROM',
    fallback: 'first',
    parse: parseFrom,
    allowed: FROM_ALLOWED,
    help: 'where a new group starts',
  }),
  bufferMessages: define({
    flag: 'buffer-messages',
    env: 'BUFFER_MESSAGES',
    fallback: '65536',
    ...integer(1, 10_000_000),
    help: 'limit of messages in memory, for all partitions of a member',
  }),
  bufferBytes: define({
    flag: 'buffer-bytes',
    env: 'BUFFER_BYTES',
    fallback: '32MiB',
    ...size('64KiB', '64GiB', '32MiB'),
    help: 'limit of bytes in memory, for all partitions of a member',
  }),
  memoryIntervalMs: define({
    flag: 'memory-interval',
    env: 'MEMORY_INTERVAL',
    fallback: '30s',
    ...duration('100ms', '1d', '30s'),
    help: 'how often to print the memory line',
  }),
} as const;
