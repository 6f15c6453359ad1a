import { NatspocError } from './errors.js';
import { redactUrls } from './redact.js';
import { SETTINGS, type SettingName } from './settings/index.js';
import type { Setting } from './settings/setting.js';

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
    /** What a setting is called where it came from; where nobody set it, where one can. */
    place: (name: SettingName) => string;
    /** What a setting is called by whoever would set it: a flag, or an option of a program. */
    option: (name: SettingName) => string;
  }
>;

/** Raw texts by place, strongest first: flags by setting name, environment and `.env` by variable name. */
export interface ConfigSources {
  flags: Readonly<Partial<Record<SettingName, string | boolean>>>;
  /** What a setting is called by whoever has options instead of flags and environment, such as a program. */
  optionName?: (name: SettingName) => string;
  env: Readonly<Record<string, string | undefined>>;
  dotenv?: Readonly<Record<string, string | undefined>>;
  /** A context of the nats CLI: weaker than all of them, stronger than defaults. */
  context?: { name: string; values: Readonly<Partial<Record<SettingName, string>>> } | undefined;
}

/** Who we are: whoever says one of them does not mean those of a context. */
export const IDENTITY: readonly SettingName[] = ['user', 'password', 'token', 'creds', 'nkey'];

const optionOf = (key: SettingName, { optionName }: ConfigSources): string =>
  optionName?.(key) ?? `--${SETTINGS[key].flag}`;

/** The raw text of one setting and the place that it came from, named as the user knows it. */
function lookUp(key: SettingName, sources: ConfigSources): { raw: string; place: string } | undefined {
  const { env } = SETTINGS[key];
  const fromFlag = sources.flags[key];
  if (fromFlag !== undefined) return { raw: String(fromFlag), place: optionOf(key, sources) };
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
  const given = new Map<SettingName, string>();
  for (const key of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    const found = lookUp(key, sources) ?? lookUpContext(key, sources);
    if (found) {
      given.set(key, found.place);
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
  values.given = new Set(given.keys());
  values.option = (name: SettingName): string => optionOf(name, sources);
  values.place = (name: SettingName): string =>
    given.get(name) ?? sources.optionName?.(name) ?? `--${SETTINGS[name].flag} or ${SETTINGS[name].env}`;
  return Object.freeze(values) as unknown as Config;
}
