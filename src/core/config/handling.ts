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
    help: 'messages of one partition handled side by side, each of another key; every key stays in order',
  }),
  maxAttempts: define({
    flag: 'max-attempts',
    env: 'MAX_ATTEMPTS',
    fallback: '3',
    ...integer(1, 1_000_000),
    help: 'how often a message is tried',
  }),
  backoff: define({
    flag: 'backoff',
    env: 'BACKOFF',
    fallback: '100ms..30s',
    parse: parseBackoff,
    allowed: `a duration from 0s to ${LONGEST_BACKOFF}, such as 100ms, or two, such as 100ms..30s`,
    help: 'wait before another attempt; doubles each time up to the second, with jitter',
  }),
  onFailure: define({
    flag: 'on-failure',
    env: 'ON_FAILURE',
    fallback: 'halt',
    parse: oneOf('halt', 'dead-letter', 'skip'),
    allowed: 'halt, dead-letter or skip',
    help: 'what happens to a message whose last attempt failed: its partition is given up, it is stored in PREFIX.dead, or it is passed over',
  }),
  handlerTimeoutMs: define({
    flag: 'handler-timeout',
    env: 'HANDLER_TIMEOUT',
    ...duration('1ms', '1d', '30s'),
    help: 'an attempt that takes longer has failed; without it, it may take for ever',
  }),
  healthPort: define({
    flag: 'health-port',
    env: 'HEALTH_PORT',
    ...integer(0, 65_535),
    allowed: 'a port from 1 to 65535, or 0 for a free one',
    help: 'serve /healthz, /readyz and /metrics over HTTP',
  }),
  healthHost: define({
    flag: 'health-host',
    env: 'HEALTH_HOST',
    fallback: '127.0.0.1',
    parse: text,
    allowed: 'an address of this machine',
    help: 'address that it listens on',
  }),
} as const;
