import { NatspocError } from '../lib/errors.js';
import type { Setting } from './setting.js';
import { SETTINGS, type SettingName } from './settings.js';
import { type ConfigSources, collect, flagOf } from './sources.js';

type ValueOf<S> = S extends { parse: (text: string) => infer T }
  ? S extends { fallback: string }
    ? Exclude<T, undefined>
    : T | undefined
  : never;

/** The validated configuration: one frozen object, which always has a `bucket`. Times are in milliseconds, sizes in bytes. */
export type Config = Readonly<
  { [K in Exclude<SettingName, 'bucket'>]: ValueOf<(typeof SETTINGS)[K]> } & {
    bucket: string;
    /** Names of the settings that were set explicitly. */
    given: ReadonlySet<SettingName>;
    /** Where a setting was set, such as `--ttl`. For an unset setting: where it can be set. */
    place: (name: SettingName) => string;
    /** The name under which the user can set a setting: a flag, or an option of a program. */
    option: (name: SettingName) => string;
  }
>;

/**
 * Resolves every setting. The strongest source wins: flag, environment, `.env`, context, default.
 *
 * @throws NatspocError `config` with one line that names the setting, the value and the allowed values.
 */
export function loadConfig(sources: ConfigSources): Config {
  const values: Record<string, unknown> = {};
  const given = new Map<SettingName, string>();
  const collected = collect(sources);
  for (const key of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting<unknown> = SETTINGS[key];
    const found = collected.get(key);
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
  values.option = flagOf;
  values.place = (name: SettingName): string => given.get(name) ?? `${flagOf(name)} or ${SETTINGS[name].env}`;
  return Object.freeze(values) as unknown as Config;
}
