import { parseBackoff } from './consume/retry.js';
import { NatspocError } from './errors.js';
import { redactUrls } from './redact.js';
import { parseBytes, parseDuration, parseRate } from './units.js';

/**
 * One setting: where it can come from (`--flag`, environment, `.env`), its default, and how it is read.
 * `parse` returns `undefined` for a value that is not `allowed`.
 */
interface Setting<T> {
  flag: string;
  char?: string;
  env: string;
  /** The default as a user would type it; none means that the setting may be absent. */
  fallback?: string;
  parse: (text: string) => T | undefined;
  /** What a valid value looks like, for the error message. */
  allowed: string;
  help: string;
  /** A boolean setting: its flag takes no value. */
  toggle?: boolean;
  /** Its value never appears in messages. */
  secret?: boolean;
  /** Its value without the secrets that may be in it. */
  redact?: (text: string) => string;
}

const define = <S extends Setting<unknown>>(setting: S): S => setting;

const text = (value: string): string | undefined => (value.trim() === '' ? undefined : value.trim());
const toggle = (value: string): boolean | undefined =>
  /^(1|true|yes|on)$/i.test(value) ? true : /^(0|false|no|off|)$/i.test(value) ? false : undefined;
const integer = (min: number, max: number) => (value: string) => {
  const number = /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
  return number >= min && number <= max ? number : undefined;
};
const durationMs = (minMs: number, maxMs: number) => (value: string) => {
  const ms = parseDuration(value);
  return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
};
const oneOf =
  <T extends string>(...values: T[]) =>
  (value: string): T | undefined =>
    values.find((candidate) => candidate === value.trim());

/** JetStream names and our own key parts: no dots, spaces or wildcards, so that keys and subjects stay parseable. */
const name = (value: string) => (/^[A-Za-z0-9_-]{1,64}$/.test(value.trim()) ? value.trim() : undefined);
const NAME_ALLOWED = '1 to 64 letters, digits, - or _';
const subject = (value: string) =>
  /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value.trim()) && !value.startsWith('$') ? value.trim() : undefined;
const servers = (value: string) => {
  const urls = value.split(',').map((url) => url.trim());
  return urls.every((url) => /^((nats|tls):\/\/)?[^\s/@]*(@)?[^\s/@]+$/.test(url)) ? urls : undefined;
};

/** Every setting that more than one command reads. Flags of a single command live with that command. */
export const SETTINGS = {
  server: define({
    flag: 'server',
    char: 's',
    env: 'NATS_URL',
    fallback: 'nats://127.0.0.1:4222',
    parse: servers,
    allowed: 'nats://HOST:PORT, several separated by commas',
    redact: redactUrls,
    help: 'NATS server URLs',
  }),
  user: define({
    flag: 'user',
    env: 'NATS_USER',
    parse: text,
    allowed: 'a name',
    help: 'user name, or a token',
  }),
  password: define({
    flag: 'password',
    env: 'NATS_PASSWORD',
    parse: text,
    allowed: 'text',
    help: 'password',
    secret: true,
  }),
  token: define({
    flag: 'token',
    env: 'NATS_TOKEN',
    parse: text,
    allowed: 'text',
    help: 'token',
    secret: true,
  }),
  creds: define({
    flag: 'creds',
    env: 'NATS_CREDS',
    parse: text,
    allowed: 'a file',
    help: 'credentials file',
  }),
  nkey: define({ flag: 'nkey', env: 'NATS_NKEY', parse: text, allowed: 'a file', help: 'NKEY seed file' }),
  tlscert: define({
    flag: 'tlscert',
    env: 'NATS_CERT',
    parse: text,
    allowed: 'a file',
    help: 'TLS client certificate',
  }),
  tlskey: define({ flag: 'tlskey', env: 'NATS_KEY', parse: text, allowed: 'a file', help: 'TLS client key' }),
  tlsca: define({
    flag: 'tlsca',
    env: 'NATS_CA',
    parse: text,
    allowed: 'a file',
    help: 'TLS certificate authority',
  }),
  tlsfirst: define({
    flag: 'tlsfirst',
    env: 'NATS_TLSFIRST',
    fallback: 'false',
    parse: toggle,
    allowed: 'true or false',
    help: 'handshake TLS before the server speaks',
    toggle: true,
  }),
  timeoutMs: define({
    flag: 'timeout',
    env: 'NATS_TIMEOUT',
    fallback: '5s',
    parse: durationMs(50, 600_000),
    allowed: 'a duration such as 250ms, 5s or 1m',
    help: 'how long to wait for the server',
  }),
  context: define({
    flag: 'context',
    env: 'NATS_CONTEXT',
    parse: text,
    allowed: 'a name',
    help: 'context of the nats CLI',
  }),
  jsDomain: define({
    flag: 'js-domain',
    env: 'NATS_JS_DOMAIN',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'JetStream domain',
  }),
  inboxPrefix: define({
    flag: 'inbox-prefix',
    env: 'NATS_INBOX_PREFIX',
    parse: subject,
    allowed: 'a subject without wildcards',
    help: 'prefix of reply subjects',
  }),
  stream: define({
    flag: 'stream',
    env: 'STREAM_NAME',
    fallback: 'EVENTS',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'stream that holds the events',
  }),
  prefix: define({
    flag: 'prefix',
    env: 'SUBJECT_PREFIX',
    fallback: 'subject.events',
    parse: subject,
    allowed: 'a subject without spaces or wildcards, such as subject.events',
    help: 'subject prefix; partition n is PREFIX.p.n',
  }),
  partitions: define({
    flag: 'partitions',
    env: 'PARTITIONS',
    fallback: '8',
    parse: integer(1, 65_536),
    allowed: 'a whole number from 1 to 65536',
    help: 'partitions of the stream, fixed when it is created',
  }),
  group: define({
    flag: 'group',
    env: 'CONSUMER_GROUP',
    fallback: 'default',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'consumer group; each group gets every event',
  }),
  bucket: define({
    flag: 'bucket',
    env: 'LEASE_BUCKET',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'KV bucket of leases and positions (default STREAM_leases)',
  }),
  replicas: define({
    flag: 'replicas',
    env: 'REPLICAS',
    fallback: '1',
    parse: integer(1, 5),
    allowed: 'a whole number from 1 to 5',
    help: 'replicas of a stream and bucket that have to be created',
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
  memoryIntervalMs: define({
    flag: 'memory-interval',
    env: 'MEMORY_INTERVAL',
    fallback: '30s',
    parse: durationMs(100, 86_400_000),
    allowed: 'a duration from 100ms, such as 30s',
    help: 'how often the memory line is printed',
  }),
  rate: define({
    flag: 'rate',
    env: 'PUBLISH_RATE',
    parse: (value) => {
      const rate = parseRate(value);
      return rate !== undefined && rate > 0 && rate <= 10_000_000 ? rate : undefined;
    },
    allowed: 'a rate such as 500, 500/s or 30/m',
    help: 'messages a second; as fast as possible without it',
  }),
  maxPendingMessages: define({
    flag: 'max-pending',
    env: 'MAX_PENDING',
    fallback: '4000',
    parse: integer(1, 1_000_000),
    allowed: 'a whole number from 1 to 1000000',
    help: 'published messages in flight, not yet confirmed',
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
  from: define({
    flag: 'from',
    env: 'CONSUME_FROM',
    fallback: 'first',
    parse: parseFrom,
    allowed: 'first, new, seq:N or time:ISO-8601',
    help: 'where a new group starts',
  }),
  onFailure: define({
    flag: 'on-failure',
    env: 'ON_FAILURE',
    fallback: 'halt',
    parse: oneOf('halt', 'dead-letter', 'skip'),
    allowed: 'halt, dead-letter or skip',
    help: 'what happens to a message whose last attempt failed: its partition is given up, it is stored in PREFIX.dead, or it is passed over',
  }),
  maxAttempts: define({
    flag: 'max-attempts',
    env: 'MAX_ATTEMPTS',
    fallback: '3',
    parse: integer(1, 1_000_000),
    allowed: 'a whole number from 1 to 1000000',
    help: 'how often a message is tried',
  }),
  backoff: define({
    flag: 'backoff',
    env: 'BACKOFF',
    fallback: '100ms..30s',
    parse: parseBackoff,
    allowed: 'a duration such as 100ms, or two such as 100ms..30s',
    help: 'wait before another attempt; doubles each time up to the second, with jitter',
  }),
  concurrency: define({
    flag: 'concurrency',
    env: 'CONCURRENCY',
    fallback: '1',
    parse: integer(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    help: 'messages of one partition handled side by side, each of another key; every key stays in order',
  }),
  handlerTimeoutMs: define({
    flag: 'handler-timeout',
    env: 'HANDLER_TIMEOUT',
    parse: durationMs(1, 86_400_000),
    allowed: 'a duration such as 30s',
    help: 'an attempt that takes longer has failed; without it, it may take for ever',
  }),
  healthPort: define({
    flag: 'health-port',
    env: 'HEALTH_PORT',
    parse: integer(0, 65_535),
    allowed: 'a port, or 0 for a free one',
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

/** Where a group without positions starts: the first message, only new ones, a sequence, or a time. */
export type StartFrom =
  | { kind: 'first' }
  | { kind: 'new' }
  | { kind: 'sequence'; sequence: number }
  | { kind: 'time'; time: Date };

function parseFrom(value: string): StartFrom | undefined {
  const [kind, rest] = [value.split(':')[0], value.slice(value.indexOf(':') + 1)];
  if (value === 'first' || value === 'new') return { kind: value };
  if (kind === 'seq' && /^[1-9]\d*$/.test(rest)) return { kind: 'sequence', sequence: Number(rest) };
  if (kind === 'time' && !Number.isNaN(Date.parse(rest))) return { kind: 'time', time: new Date(rest) };
  return undefined;
}

/** The key of a setting in {@link SETTINGS} and {@link Config}. */
export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends { parse: (text: string) => infer T }
  ? S extends { fallback: string }
    ? Exclude<T, undefined>
    : T | undefined
  : never;

/** The validated configuration: one frozen object, `bucket` filled in. Times in milliseconds, sizes in bytes. */
export type Config = Readonly<
  { [K in Exclude<SettingName, 'bucket'>]: ValueOf<(typeof SETTINGS)[K]> } & {
    bucket: string;
    /** Names of the settings that somebody set, as against left at their defaults. */
    given: ReadonlySet<SettingName>;
  }
>;

/** Raw texts by place, strongest first: flags by setting name, environment and `.env` by variable name. */
export interface ConfigSources {
  flags: Readonly<Partial<Record<SettingName, string | boolean>>>;
  env: Readonly<Record<string, string | undefined>>;
  dotenv?: Readonly<Record<string, string | undefined>>;
  /** A context of the nats CLI: weaker than all of them, stronger than defaults. */
  context?: { name: string; values: Readonly<Partial<Record<SettingName, string>>> } | undefined;
}

/** Who we are: whoever says one of them does not mean those of a context. */
const IDENTITY: readonly SettingName[] = ['user', 'password', 'token', 'creds', 'nkey'];

/** The raw text of one setting and the place that it came from, named as the user knows it. */
function lookUp(key: SettingName, sources: ConfigSources): { raw: string; place: string } | undefined {
  const { flag, env } = SETTINGS[key];
  const fromFlag = sources.flags[key];
  if (fromFlag !== undefined) return { raw: String(fromFlag), place: `--${flag}` };
  const fromEnv = sources.env[env];
  if (fromEnv !== undefined && fromEnv !== '') return { raw: fromEnv, place: env };
  const fromFile = sources.dotenv?.[env];
  if (fromFile !== undefined && fromFile !== '') return { raw: fromFile, place: `${env} in .env` };
  return undefined;
}

/** The same from the context, where nothing stronger says anything about it. */
function lookUpContext(key: SettingName, sources: ConfigSources): { raw: string; place: string } | undefined {
  const raw = sources.context?.values[key];
  if (raw === undefined) return undefined;
  if (IDENTITY.includes(key) && IDENTITY.some((each) => lookUp(each, sources))) return undefined;
  return { raw, place: `${SETTINGS[key].flag} in context ${sources.context?.name}` };
}

/**
 * The context of the nats CLI that is meant: one that somebody names, else the one that is selected there, unless
 * somebody says which server.
 */
export function contextName(
  sources: Omit<ConfigSources, 'context'>,
  selected: () => string | undefined,
): string | undefined {
  const named = lookUp('context', sources);
  if (named) return named.raw;
  return lookUp('server', sources) ? undefined : selected();
}

/** The flags of these that carry a secret, and the environment variables that do without showing it. */
export function secretFlags(flags: ConfigSources['flags']): { flag: string; env: string }[] {
  const found: { flag: string; env: string }[] = [];
  for (const key of IDENTITY) {
    const setting: Setting<unknown> = SETTINGS[key];
    // A user without a password is a token.
    const secret = setting.secret || (key === 'user' && flags.password === undefined);
    if (secret && typeof flags[key] === 'string') found.push({ flag: setting.flag, env: setting.env });
  }
  const { server } = flags;
  if (
    typeof server === 'string' &&
    redactUrls(server) !==
      server
        .split(',')
        .map((url) => url.trim())
        .join(', ')
  ) {
    found.push({ flag: SETTINGS.server.flag, env: SETTINGS.server.env });
  }
  return found;
}

/**
 * Resolves every setting: flag over environment over `.env` over context over default.
 *
 * @throws NatspocError `config` with one line that names the setting, the value and what is allowed.
 */
export function loadConfig(sources: ConfigSources): Config {
  const values: Record<string, unknown> = {};
  const given = new Set<SettingName>();
  for (const key of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    const found = lookUp(key, sources) ?? lookUpContext(key, sources);
    if (found) {
      given.add(key);
      values[key] = setting.parse(found.raw);
      if (values[key] === undefined) {
        const shown = setting.secret ? 'the value' : JSON.stringify(setting.redact?.(found.raw) ?? found.raw);
        throw new NatspocError('config', `${found.place}: ${shown} is not ${setting.allowed}.`);
      }
    } else if (setting.fallback !== undefined) {
      values[key] = setting.parse(setting.fallback);
    }
  }
  values.bucket ??= `${String(values.stream)}_leases`;
  values.given = given;
  return Object.freeze(values) as unknown as Config;
}
