import { duration, integer, memberName, NAME_ALLOWED, name, size } from './parse.js';
import { define } from './setting.js';
import { parseFrom } from './start-from.js';

/** How a member lives in its group. */
export const GROUP = {
  name: define({
    flag: 'name',
    env: 'MEMBER_NAME',
    parse: memberName,
    allowed: '1 to 128 characters, none of them for control',
    help: 'name of this member, for people (default HOST-PID)',
  }),
  group: define({
    flag: 'group',
    env: 'CONSUMER_GROUP',
    fallback: 'default',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'consumer group; each group gets every event',
  }),
  ttlMs: define({
    flag: 'ttl',
    env: 'LEASE_TTL',
    fallback: '10s',
    ...duration('1s', '1h', '10s'),
    help: 'a member that cannot renew for this long loses its leases',
  }),
  probeIntervalMs: define({
    flag: 'probe-interval',
    env: 'PROBE_INTERVAL',
    fallback: '400ms',
    ...duration('0s', '1m', '400ms'),
    help: 'how often members look after each other; finds a dead one before its ttl; 0s: never',
  }),
  drainTimeoutMs: define({
    flag: 'drain-timeout',
    env: 'DRAIN_TIMEOUT',
    fallback: '5s',
    ...duration('0s', '1h', '5s'),
    help: 'how long a handler may take to finish before its partition moves without it',
  }),
  commitIntervalMs: define({
    flag: 'commit-interval',
    env: 'COMMIT_INTERVAL',
    fallback: '200ms',
    ...duration('1ms', '1m', '200ms'),
    help: 'positions are committed this often while busy; after a crash the next owner handles at most this much again',
  }),
  commitEvery: define({
    flag: 'commit-every',
    env: 'COMMIT_EVERY',
    fallback: '1000',
    ...integer(1, 1_000_000),
    help: 'and after this many messages of a partition; 1 repeats one message at most, at the price of a write each',
  }),
  from: define({
    flag: 'from',
    env: 'CONSUME_FROM',
    fallback: 'first',
    parse: parseFrom,
    allowed: 'first, new, seq:N or time:ISO-8601',
    help: 'where a new group starts',
  }),
  bufferMessages: define({
    flag: 'buffer-messages',
    env: 'BUFFER_MESSAGES',
    fallback: '65536',
    ...integer(1, 10_000_000),
    help: 'messages that a member holds in memory at most, over all its partitions',
  }),
  bufferBytes: define({
    flag: 'buffer-bytes',
    env: 'BUFFER_BYTES',
    fallback: '32MiB',
    ...size('64KiB', '64GiB', '32MiB'),
    help: 'bytes that a member holds in memory at most',
  }),
  memoryIntervalMs: define({
    flag: 'memory-interval',
    env: 'MEMORY_INTERVAL',
    fallback: '30s',
    ...duration('100ms', '1d', '30s'),
    help: 'how often the memory line is printed',
  }),
} as const;
