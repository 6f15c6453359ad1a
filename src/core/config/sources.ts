import { NatspocError } from '../lib/errors.js';
import { CONTEXT_SETTINGS, IDENTITY } from './connection.js';
import type { Setting } from './setting.js';
import { SETTINGS, type SettingName } from './settings.js';

/** The raw texts of each source, the strongest source first. `flags` and `context` are keyed by setting, `env` and `dotenv` by variable. */
export interface ConfigSources {
  flags: Readonly<Partial<Record<SettingName, string | boolean>>>;
  env: Readonly<Record<string, string | undefined>>;
  dotenv?: Readonly<Record<string, string | undefined>>;
  /** A context of the nats CLI. The context overrides defaults; every other source overrides the context. */
  context?: { name: string; values: Readonly<Partial<Record<SettingName, string>>> } | undefined;
}

/** The precedence of sources; a smaller number is stronger. */
const STRENGTH = { flag: 0, env: 1, dotenv: 2, context: 3 } as const;

/** A source of settings. */
export type Origin = keyof typeof STRENGTH;

/** The raw text of one setting, its source, and the setting's name in this source, such as `--ttl`. */
export interface Given {
  raw: string;
  origin: Origin;
  place: string;
}

/** The flag that sets a setting. */
export const flagOf = (key: SettingName): string => `--${SETTINGS[key].flag}`;

const firstOf = (key: SettingName, sources: ConfigSources): Given | undefined => {
  for (const given of textsOf(key, sources)) return given;
  return undefined;
};

function* textsOf(key: SettingName, sources: ConfigSources): Generator<Given> {
  const { env, flag } = SETTINGS[key];
  const fromFlag = sources.flags[key];
  if (fromFlag !== undefined) yield { raw: String(fromFlag), origin: 'flag', place: flagOf(key) };
  const fromEnv = sources.env[env];
  if (fromEnv) yield { raw: fromEnv, origin: 'env', place: env };
  const fromFile = sources.dotenv?.[env];
  if (fromFile) yield { raw: fromFile, origin: 'dotenv', place: `${env} in .env` };
  const { name, values } = sources.context ?? {};
  const fromContext = values?.[key];
  if (fromContext !== undefined)
    yield { raw: fromContext, origin: 'context', place: `${flag} in context ${name}` };
}

/** The settings that are set; see {@link collect}. */
export type Collected = Map<SettingName, Given>;

/**
 * Finds the settings that are set, each with its source. The strongest source wins: flag, environment, `.env`, context. Further rules apply
 * to identity and server:
 *
 * - If a source names a context, weaker sources other than the context are ignored. This holds even for a setting that the context lacks.
 * - The identity comes from one source. Only a user and the user's password may come from two sources.
 * - A server named in `.env` gets no credentials from another source, because anyone may have written that file.
 *
 * @throws NatspocError `config` if settings contradict each other.
 */
export function collect(sources: ConfigSources): Collected {
  const named = firstOf('context', sources)?.origin;
  const found: Collected = new Map();
  for (const key of Object.keys(SETTINGS) as SettingName[]) {
    for (const given of textsOf(key, sources)) {
      const isExcluded =
        named !== undefined &&
        CONTEXT_SETTINGS.includes(key) &&
        given.origin !== 'context' &&
        STRENGTH[given.origin] > STRENGTH[named];
      if (isExcluded) continue;
      found.set(key, given);
      break;
    }
  }
  chooseIdentity(found);
  keepFromDotenv(found);
  return found;
}

/** The kinds of identity; a password belongs to its user. */
const WAYS = ['creds', 'nkey', 'token', 'user'] as const;

/** Keeps the strongest kind of identity. @throws NatspocError `config` if two kinds are equally strong. */
function chooseIdentity(found: Collected): void {
  const strength = (key: SettingName): number => {
    const given = found.get(key);
    return given ? STRENGTH[given.origin] : Number.POSITIVE_INFINITY;
  };
  const password = found.get('password');
  const ways = WAYS.map((way) => ({
    way,
    strength:
      way === 'user' && found.has('user') ? Math.min(strength('user'), strength('password')) : strength(way),
  }))
    .filter((each) => each.strength < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.strength - b.strength);
  const [first, second] = ways;
  // If one context has several kinds of identity, the first kind is used, as in the nats CLI.
  if (first && first.strength === second?.strength && first.strength < STRENGTH.context) {
    const [a, b] = [found.get(first.way)?.place, found.get(second.way)?.place];
    throw new NatspocError('config', `${a} and ${b} exclude each other: both are credentials.`);
  }
  if (password?.origin === 'flag' && first?.way !== 'user') {
    throw new NatspocError('config', `${password.place} needs a user: give both, or neither.`);
  }
  for (const { way } of ways.slice(1)) found.delete(way);
  // A password of a context belongs to that context's user.
  const user = found.get('user');
  if (!user || (password?.origin === 'context' && user.origin !== 'context')) found.delete('password');
}

/** @throws NatspocError `config` if the server's address or CA comes from `.env`, but its credentials do not. */
function keepFromDotenv(found: Collected): void {
  const trusting = (['server', 'tlsca'] as const).find((key) => found.get(key)?.origin === 'dotenv');
  if (trusting === undefined) return;
  const key = IDENTITY.find((name) => (found.get(name)?.origin ?? 'dotenv') !== 'dotenv');
  const [there, secret] = [found.get(trusting), key && found.get(key)];
  if (!there || !secret || !key) return;
  const { env } = SETTINGS[trusting];
  throw new NatspocError(
    'config',
    `${secret.place} is not used with ${there.place}, because anyone may have written that file. ` +
      `Set ${flagOf(trusting)} or ${env} as well, or ${SETTINGS[key].env} in .env.`,
  );
}

/** The context of the nats CLI to use. The selected context is used only if neither a context nor a server is given. */
export function contextName(
  sources: Omit<ConfigSources, 'context'>,
  selected: () => string | undefined,
): string | undefined {
  const named = firstOf('context', sources);
  if (named) return named.raw;
  return firstOf('server', sources) ? undefined : selected();
}

/** Flags that expose a secret in the list of processes, and the variables to use instead. */
export function secretFlags(sources: ConfigSources): { flag: string; env: string }[] {
  const found = collect(sources);
  const shown: SettingName[] = [];
  for (const key of IDENTITY) {
    const setting: Setting<unknown> = SETTINGS[key];
    // A user without a password counts as a token.
    const isSecret = setting.secret || (key === 'user' && !found.has('password'));
    if (isSecret && found.get(key)?.origin === 'flag') shown.push(key);
  }
  const { server } = sources.flags;
  if (typeof server === 'string' && hasSecret(server)) shown.push('server');
  return shown.map((key) => ({ flag: SETTINGS[key].flag, env: SETTINGS[key].env }));
}

const hasSecret = (urls: string): boolean =>
  SETTINGS.server.redact(urls) !==
  urls
    .split(',')
    .map((url) => url.trim())
    .join(', ');
