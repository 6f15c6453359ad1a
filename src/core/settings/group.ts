import { parseBytes } from '../units.js';
import { durationMs, integer, NAME_ALLOWED, name } from './parse.js';
import { define } from './setting.js';
import { parseFrom } from './start-from.js';

/** How a member lives in its group. */
export const GROUP = {
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
    parse: durationMs(1_000, 3_600_000),
    allowed: 'a duration from 1s to 1h, such as 10s',
    help: 'a member that cannot renew for this long loses its leases',
  }),
  probeIntervalMs: define({
    flag: 'probe-interval',
    env: 'PROBE_INTERVAL',
    fallback: '400ms',
    parse: durationMs(0, 60_000),
    allowed: 'a duration such as 400ms, or 0s for none',
    help: 'how often members look after each other; finds a dead one before its ttl',
  }),
  drainTimeoutMs: define({
    flag: 'drain-timeout',
    env: 'DRAIN_TIMEOUT',
    fallback: '5s',
    parse: durationMs(0, 3_600_000),
    allowed: 'a duration such as 5s',
    help: 'how long a handler may take to finish before its partition moves without it',
  }),
  commitIntervalMs: define({
    flag: 'commit-interval',
    env: 'COMMIT_INTERVAL',
    fallback: '200ms',
    parse: durationMs(1, 60_000),
    allowed: 'a duration from 1ms to 1m',
    help: 'positions are committed this often while busy; after a crash the next owner handles at most this much again',
  }),
  commitEvery: define({
    flag: 'commit-every',
    env: 'COMMIT_EVERY',
    fallback: '1000',
    parse: integer(1, 1_000_000),
    allowed: 'a whole number from 1 to 1000000',
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
    parse: integer(1, 10_000_000),
    allowed: 'a whole number from 1',
    help: 'messages that a member holds in memory at most, over all its partitions',
  }),
  bufferBytes: define({
    flag: 'buffer-bytes',
    env: 'BUFFER_BYTES',
    fallback: '32MiB',
    parse: (value) => {
      const bytes = parseBytes(value);
      return bytes !== undefined && bytes >= 65_536 ? bytes : undefined;
    },
    allowed: 'a size from 64KiB, such as 32MiB',
    help: 'bytes that a member holds in memory at most',
  }),
  memoryIntervalMs: define({
    flag: 'memory-interval',
    env: 'MEMORY_INTERVAL',
    fallback: '30s',
    parse: durationMs(100, 86_400_000),
    allowed: 'a duration from 100ms, such as 30s',
    help: 'how often the memory line is printed',
  }),
} as const;
