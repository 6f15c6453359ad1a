import { BATCH_ALLOWED, isBatch } from './config/batch.js';
import { type Config, loadConfig } from './config/config.js';
import type { Range } from './config/parse.js';
import { isBackoff } from './config/retry.js';
import type { Setting } from './config/setting.js';
import { SETTINGS, type SettingName } from './config/settings.js';
import { readFrom } from './config/start-from.js';
import { NatspocError } from './lib/errors.js';
import { inWords } from './lib/in-words.js';
import { asObject, type Fields } from './lib/json.js';
import { nearest } from './lib/nearest.js';
import { redactUrls } from './lib/redact-url.js';
import { isConnection } from './nats/client/connection.js';
import type {
  Connecting,
  CreatePublisherOptions,
  JoinGroupOptions,
  OpenStreamOptions,
  StreamOptions,
} from './options.js';
import { type MessageKey, namedKey, parseMessageKey } from './protocol/message-key.js';

/** How the value of an option is checked. */
interface Check {
  /** The value as it is used; undefined if it is not allowed. */
  read: (value: unknown) => unknown;
  /** Completes "… is not". */
  allowed: string;
  /** The setting that it sets. */
  setting?: SettingName;
}

type Checks<Options> = Record<keyof Options, Check>;

const isObject = (value: unknown): value is Fields => asObject(value) !== undefined;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/** Accepts any value for which this is true. */
const such = (isTrue: (value: unknown) => boolean, allowed: string): Check => ({
  read: (value) => (isTrue(value) ? value : undefined),
  allowed,
});

/** A number within the bounds of a setting, or a text that the setting accepts. */
function settingCheck(setting: SettingName): Check {
  const { parse, allowed, range }: Setting<unknown> & { range?: Range } = SETTINGS[setting];
  if (!range) {
    return { setting, read: (value) => (typeof value === 'string' ? parse(value) : undefined), allowed };
  }
  const { least, most, unit } = range;
  const isFraction = unit === 'number of milliseconds';
  const fits = (value: unknown): boolean =>
    isFraction ? typeof value === 'number' && value >= least && value <= most : isWhole(value, least, most);
  return { ...such(fits, `a ${unit} from ${least} to ${most}`), setting };
}

/** Options with the names of settings. */
const settings = <K extends SettingName>(...names: readonly K[]): Record<K, Check> =>
  Object.fromEntries(names.map((name) => [name, settingCheck(name)])) as Record<K, Check>;

const yesOrNo = such((value) => typeof value === 'boolean', 'true or false');

const CONNECTING: Checks<Connecting> = {
  connection: such(isConnection, 'a connection of the client "nats", version 2'),
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
const isHealth = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).every((name) => name === 'port' || name === 'host') &&
  isWhole(value.port, 0, 65_535) &&
  (value.host === undefined || (typeof value.host === 'string' && value.host.trim() !== ''));
const isSignal = (value: unknown): boolean =>
  isObject(value) && typeof value.aborted === 'boolean' && isFunction(value.addEventListener);
const isObserver = (value: unknown): boolean =>
  isObject(value) && [value.confirmed, value.failed].every((each) => each === undefined || isFunction(each));

/** The key that an option describes; undefined: none. */
export function keyOf(value: unknown): MessageKey | undefined {
  if (typeof value === 'string') return parseMessageKey(value);
  if (!isObject(value) || typeof value.name !== 'string') return undefined;
  const name = SETTINGS.name.parse(value.name);
  const { of } = value;
  if (name === undefined || typeof of !== 'function') return undefined;
  // Its results are checked for each message.
  return namedKey(name, (message) => textOrNull(Reflect.apply(of as () => unknown, undefined, [message])));
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const JOIN_GROUP: Checks<JoinGroupOptions> = {
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
    'handlerTimeoutMs',
    'maxAttempts',
    'maxCrashes',
    'onFailure',
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
  logger: {
    read: (value) => (value === false || isLogger(value) ? value : undefined),
    allowed: 'false, or an object with the functions debug, info, warn and error',
  },
  judge: such(isFunction, 'a function (failure)'),
  barrier: such(isFunction, 'a function that returns a promise'),
  guardRejections: yesOrNo,
  health: such(isHealth, 'an object with a port from 0 (any free port) to 65535, and optionally a host'),
  signal: such(isSignal, 'an AbortSignal'),
  listen: such(isFunction, 'a function (member)'),
};

const CREATE_PUBLISHER: Checks<CreatePublisherOptions> = {
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
};

const OPEN_STREAM: Checks<OpenStreamOptions> = {
  ...CONNECTING,
  ...EXISTING_STREAM,
  ...settings('group', 'ttlMs', 'drainTimeoutMs'),
};

/**
 * The configuration for these options of `joinGroup`. Values are checked, because JavaScript programs may pass anything.
 *
 * @throws NatspocError `config`: one line with the option, its value and what is allowed.
 */
export function joinGroupConfig(options: JoinGroupOptions): Config {
  const config = configOf('joinGroup', options, JOIN_GROUP);
  const { handler, batchHandler, batch, concurrency = 1 }: Fields = { ...options };
  if ((handler === undefined) === (batchHandler === undefined))
    throw refusal('Give exactly one of: handler, batchHandler.');
  if (batchHandler !== undefined && concurrency !== 1)
    throw refusal('concurrency is 1 with a batchHandler: leave it out.');
  if (handler !== undefined && batch !== undefined) throw refusal('batch needs a batchHandler.');
  return config;
}

/** The same for `createPublisher`. */
export function createPublisherConfig(options: CreatePublisherOptions): Config {
  return configOf('createPublisher', options, CREATE_PUBLISHER);
}

/** The same for `openStream`. */
export function openStreamConfig(options: OpenStreamOptions): Config {
  return configOf('openStream', options, OPEN_STREAM);
}

function configOf(call: string, options: unknown, checks: Readonly<Record<string, Check>>): Config {
  if (!isObject(options)) throw refusal(`${call} takes an object of options, not ${inWords(options)}.`);
  const given = new Map<SettingName, unknown>();
  for (const name of Object.keys(options)) {
    const value = options[name];
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw refusal(unknownOption(call, name, Object.keys(checks)));
    if (value === undefined) continue;
    const read = check.read(value);
    if (read === undefined) {
      const shown = inWords(check.setting === 'server' ? withoutSecrets(value) : value);
      throw refusal(`${name}: ${shown} is not ${check.allowed}.`);
    }
    if (check.setting) given.set(check.setting, read);
  }
  if (options.connection !== undefined && options.servers !== undefined) {
    throw refusal('connection and servers exclude each other: leave one of them out.');
  }
  const defaults = loadConfig({ flags: {}, env: {} });
  const stream = given.get('stream');
  return Object.freeze({
    ...defaults,
    ...(typeof stream === 'string' && { bucket: `${stream}_leases` }),
    ...Object.fromEntries(given),
    given: new Set(given.keys()),
    place: optionName,
    option: optionName,
  });
}

/** URLs carry passwords. */
const withoutSecrets = (urls: unknown): unknown =>
  [urls]
    .flat()
    .map((url) => (typeof url === 'string' ? redactUrls(url) : url))
    .join(', ');

const refusal = (message: string): NatspocError => new NatspocError('config', message);

function unknownOption(call: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const help = meant ? `Did you mean ${meant}?` : `Options: ${known.join(', ')}.`;
  return `${call} has no option ${inWords(name)}. ${help}`;
}

/** Settings without an option: URLs carry user and token; for other credentials and TLS, pass your own connection. */
const IN_URL: readonly SettingName[] = ['user', 'password', 'token'];
const ELSEWHERE: readonly SettingName[] = [
  'creds',
  'nkey',
  'context',
  'tlsca',
  'tlscert',
  'tlskey',
  'tlsfirst',
];

/** The option that sets a setting. */
function optionName(name: SettingName): string {
  if (name === 'server') return 'servers';
  if (IN_URL.includes(name)) return 'servers (nats://USER:PASSWORD@HOST)';
  return ELSEWHERE.includes(name) ? 'a connection of your own' : name;
}
