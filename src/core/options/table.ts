import { BATCH_ALLOWED, isBatch } from '../config/batch.js';
import { isBackoff } from '../config/retry.js';
import { SETTINGS } from '../config/settings.js';
import { readFrom } from '../config/start-from.js';
import { isConnection } from '../nats/client/connection.js';
import { type MessageKey, namedKey, parseMessageKey } from '../protocol/message-key.js';
import { type Check, type Checks, isFunction, isObject, isWhole, settings, such, yesOrNo } from './checks.js';
import type { Connecting, StreamOptions } from './connecting.js';
import type { JoinGroupOptions } from './member.js';
import type { CreatePublisherOptions } from './publisher.js';
import type { OpenStreamOptions } from './stream.js';

const CONNECTING: Checks<Connecting> = {
  connection: such(
    isConnection,
    'a connection of the client "nats", version 2. A connection of @nats-io, version 3, does not work: connect with "nats", or pass servers',
  ),
  servers: {
    setting: 'server',
    read: (value) => {
      const urls = [value].flat();
      return urls.length > 0 && urls.every((url) => typeof url === 'string')
        ? SETTINGS.server.parse(urls.join(','))
        : undefined;
    },
    allowed: SETTINGS.server.allowed,
  },
};

const EXISTING_STREAM = settings('stream', 'bucket', 'timeoutMs', 'authRetryMs', 'inboxPrefix', 'jsDomain');
const STREAM: Checks<StreamOptions> = { ...EXISTING_STREAM, ...settings('prefix', 'partitions', 'replicas') };

const isLogger = (value: unknown): boolean =>
  isObject(value) && ['debug', 'info', 'warn', 'error'].every((level) => isFunction(value[level]));
const LOGGER: Check = {
  read: (value) => (value === false || isLogger(value) ? value : undefined),
  allowed: 'false, or an object with the functions debug, info, warn and error',
};
const isHealth = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).every((name) => name === 'port' || name === 'host') &&
  isWhole(value.port, 0, 65_535) &&
  (value.host === undefined || (typeof value.host === 'string' && value.host.trim() !== ''));
const isSignal = (value: unknown): boolean =>
  isObject(value) && typeof value.aborted === 'boolean' && isFunction(value.addEventListener);
/** Schemas of some libraries are functions. */
const isSchema = (value: unknown): boolean => {
  if (!isFunction(value) && !isObject(value)) return false;
  const { '~standard': standard }: { '~standard'?: unknown } = Object(value);
  return isObject(standard) && standard.version === 1 && isFunction(standard.validate);
};
const isObserver = (value: unknown): boolean =>
  isObject(value) && [value.confirmed, value.failed].every((each) => each === undefined || isFunction(each));

/** The key that the option `key` describes; undefined if the value is not valid. */
export function keyOf(value: unknown): MessageKey | undefined {
  if (typeof value === 'string') return parseMessageKey(value);
  if (!isObject(value) || typeof value.name !== 'string') return undefined;
  const name = SETTINGS.name.parse(value.name);
  const { of } = value;
  if (name === undefined || typeof of !== 'function') return undefined;
  return namedKey(name, (message) => Reflect.apply(of, undefined, [message]));
}

/** The options of `joinGroup`. */
export const JOIN_GROUP: Checks<JoinGroupOptions> = {
  ...CONNECTING,
  ...STREAM,
  handler: such(isFunction, 'a function (message, context)'),
  batchHandler: such(isFunction, 'a function (messages, context)'),
  batch: such(isBatch, BATCH_ALLOWED),
  ...settings(
    'group',
    'filter',
    'name',
    'concurrency',
    'maxConcurrency',
    'handlerTimeoutMs',
    'maxAttempts',
    'maxCrashes',
    'onFailure',
    'withoutKey',
  ),
  ...settings('commitIntervalMs', 'commitEvery', 'ttlMs', 'probeIntervalMs', 'drainTimeoutMs'),
  ...settings('bufferMessages', 'bufferBytes', 'memoryIntervalMs'),
  key: {
    setting: 'key',
    read: (value) => keyOf(value)?.text,
    allowed: `${SETTINGS.key.allowed}, or an object with a name and a function of`,
  },
  backoff: {
    ...such(
      isBackoff,
      'a first delay and a cap, both in milliseconds up to a day, such as { baseMs: 100, maxMs: 30000 }',
    ),
    setting: 'backoff',
  },
  from: {
    setting: 'from',
    read: readFrom,
    allowed: "'first', 'new', 'seq:N' or 'time:ISO-8601', or the same as an object with a kind",
  },
  logger: LOGGER,
  judge: such(isFunction, 'a function (failure)'),
  barrier: such(isFunction, 'a function that returns a promise'),
  guardRejections: yesOrNo,
  health: such(isHealth, 'an object with a port from 0 (any free port) to 65535, and optionally a host'),
  signal: such(isSignal, 'an AbortSignal'),
  schema: such(
    isSchema,
    'a schema of zod, valibot, arktype or another library that implements Standard Schema',
  ),
  decode: such(isFunction, 'a function (message)'),
  acquire: such(isFunction, 'a function (partition, context)'),
  release: such(isFunction, 'a function (partition, state, context)'),
  listen: such(isFunction, 'a function (member)'),
};

/** The options of `createPublisher`. */
export const CREATE_PUBLISHER: Checks<CreatePublisherOptions> = {
  ...CONNECTING,
  ...STREAM,
  ...settings('maxPendingMessages'),
  maxPendingBytes: such(
    (value) => isWhole(value, 1, 2 ** 40),
    `a whole number of bytes from 1 to ${2 ** 40}`,
  ),
  dedupe: yesOrNo,
  ordered: yesOrNo,
  ownSubjects: yesOrNo,
  observer: such(isObserver, 'an object with the functions confirmed and failed, or one of them'),
  logger: LOGGER,
};

/** The options of `openStream`. */
export const OPEN_STREAM: Checks<OpenStreamOptions> = {
  ...CONNECTING,
  ...EXISTING_STREAM,
  ...settings('group', 'ttlMs', 'drainTimeoutMs'),
};
