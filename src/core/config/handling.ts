import { duration, integer, oneOf, text } from './parse.js';
import { LONGEST_BACKOFF, parseBackoff } from './retry.js';
import { define } from './setting.js';

/** How messages are handled. */
export const HANDLING = {
  concurrency: define({
    flag: 'concurrency',
    env: 'CONCURRENCY',
    fallback: '1',
    ...integer(1, 10_000),
    help: 'messages of one partition handled in parallel, each of a different key; every key stays in order',
  }),
  maxConcurrency: define({
    flag: 'max-concurrency',
    env: 'MAX_CONCURRENCY',
    ...integer(1, 100_000),
    help: 'limit of concurrent handlers in all partitions of a member; default: no limit',
  }),
  maxAttempts: define({
    flag: 'max-attempts',
    env: 'MAX_ATTEMPTS',
    fallback: '3',
    ...integer(1, 1_000_000),
    help: 'how many times to try a message',
  }),
  maxCrashes: define({
    flag: 'max-crashes',
    env: 'MAX_CRASHES',
    fallback: '3',
    ...integer(2, 1_000),
    help: 'how many members in a row may die or hang while they handle a message, before the message fails',
  }),
  backoff: define({
    flag: 'backoff',
    env: 'BACKOFF',
    fallback: '100ms..30s',
    parse: parseBackoff,
    allowed: `a duration from 0s to ${LONGEST_BACKOFF}, such as 100ms, or two, such as 100ms..30s`,
    help: 'wait before the next attempt; doubles up to the second duration, with jitter',
  }),
  onFailure: define({
    flag: 'on-failure',
    env: 'ON_FAILURE',
    fallback: 'halt',
    parse: oneOf('halt', 'dead-letter', 'skip'),
    allowed: 'halt, dead-letter or skip',
    help: 'after the last failed attempt: halt the partition, store the message in PREFIX.dead, or skip it',
  }),
  withoutKey: define({
    flag: 'without-key',
    env: 'WITHOUT_KEY',
    fallback: 'subject',
    parse: oneOf('subject', 'dead-letter'),
    allowed: 'subject or dead-letter',
    help: 'whether messages without a key are handled in the partition of their subject, or stored in PREFIX.dead',
  }),
  handlerTimeoutMs: define({
    flag: 'handler-timeout',
    env: 'HANDLER_TIMEOUT',
    ...duration('1ms', '1d', '30s'),
    help: 'an attempt that takes longer has failed; default: no limit',
  }),
  healthPort: define({
    flag: 'health-port',
    env: 'HEALTH_PORT',
    ...integer(0, 65_535),
    allowed: 'a port from 1 to 65535, or 0 for a free one',
    help: 'serve /livez, /readyz and /metrics over HTTP',
  }),
  healthHost: define({
    flag: 'health-host',
    env: 'HEALTH_HOST',
    fallback: '127.0.0.1',
    parse: text,
    allowed: 'an address of this machine',
    help: 'address on which --health-port listens',
  }),
} as const;
