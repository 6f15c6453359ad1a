import { type Config, loadConfig } from '../config/config.js';
import type { SettingName } from '../config/settings.js';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import type { Fields } from '../lib/json.js';
import { redactUrls } from '../lib/redact-url.js';
import { unknownName } from '../lib/unknown-name.js';
import { type Check, isObject } from './checks.js';
import type { JoinGroupOptions } from './member.js';
import type { CreatePublisherOptions } from './publisher.js';
import type { OpenStreamOptions } from './stream.js';
import { CREATE_PUBLISHER, JOIN_GROUP, OPEN_STREAM } from './table.js';

/**
 * The configuration for these options of `joinGroup`. Values are checked, because JavaScript programs may pass anything.
 *
 * @throws NatspocError `config`: one line with the option, its value and the allowed values.
 */
export function joinGroupConfig<Value, State>(options: JoinGroupOptions<Value, State>): Config {
  const config = configOf('joinGroup', options, JOIN_GROUP);
  const { handler, batchHandler, batch, concurrency = 1, schema, decode }: Fields = { ...options };
  if (handler !== undefined && batchHandler !== undefined)
    throw refusal('handler and batchHandler exclude each other: leave one of them out.');
  if (batchHandler !== undefined && concurrency !== 1)
    throw refusal('concurrency is 1 with a batchHandler: leave it out.');
  if (batchHandler === undefined && batch !== undefined) throw refusal('batch needs a batchHandler.');
  if (schema !== undefined && decode !== undefined)
    throw refusal('schema and decode exclude each other: leave one of them out.');
  return config;
}

/** The configuration for these options of `createPublisher`. */
export function createPublisherConfig(options: CreatePublisherOptions): Config {
  return configOf('createPublisher', options, CREATE_PUBLISHER);
}

/** The configuration for these options of `openStream`. */
export function openStreamConfig(options: OpenStreamOptions): Config {
  return configOf('openStream', options, OPEN_STREAM);
}

function configOf(call: string, options: unknown, checks: Readonly<Record<string, Check>>): Config {
  if (!isObject(options)) throw refusal(`${call} takes an object of options, not ${inWords(options)}.`);
  const given = new Map<SettingName, unknown>();
  for (const name of Object.keys(options)) {
    const value = options[name];
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw refusal(unknownName(call, 'option', name, Object.keys(checks)));
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

const withoutSecrets = (urls: unknown): unknown =>
  [urls]
    .flat()
    .map((url) => (typeof url === 'string' ? redactUrls(url) : url))
    .join(', ');

const refusal = (message: string): NatspocError => new NatspocError('config', message);

/** Settings that have no option, because they are part of a URL. */
const IN_URL: readonly SettingName[] = ['user', 'password', 'token'];
/** Settings that have no option. A program that needs them passes its own connection. */
const ELSEWHERE: readonly SettingName[] = [
  'creds',
  'nkey',
  'context',
  'tlsca',
  'tlscert',
  'tlskey',
  'tlsfirst',
];

/** The name of the option that sets a setting, for error messages. */
function optionName(name: SettingName): string {
  if (name === 'server') return 'option "servers"';
  if (IN_URL.includes(name)) return 'option "servers" (nats://USER:PASSWORD@HOST)';
  return ELSEWHERE.includes(name) ? 'a connection of your own' : `option "${name}"`;
}
