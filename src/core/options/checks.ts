import type { Range } from '../config/parse.js';
import type { Setting } from '../config/setting.js';
import { SETTINGS, type SettingName } from '../config/settings.js';
import { asObject, type Fields } from '../lib/json.js';

/** How the value of an option is checked. */
export interface Check {
  /** Returns the value to use; undefined if the value is not allowed. */
  read: (value: unknown) => unknown;
  /** The allowed values, as the end of the sentence "… is not …". */
  allowed: string;
  setting?: SettingName;
}

export type Checks<Options> = Record<keyof Options, Check>;

/** True for an object that is not an array. */
export const isObject = (value: unknown): value is Fields => asObject(value) !== undefined;
export const isFunction = (value: unknown): boolean => typeof value === 'function';
/** True for a whole number within these bounds, both included. */
export const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/** Accepts any value for which `isTrue` returns true. */
export const such = (isTrue: (value: unknown) => boolean, allowed: string): Check => ({
  read: (value) => (isTrue(value) ? value : undefined),
  allowed,
});

/** Accepts a number within the bounds of a setting, or a text that the setting accepts. */
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

/** Returns a check for each of these options. Each option has the same name as its setting. */
export const settings = <K extends SettingName>(...names: readonly K[]): Record<K, Check> =>
  Object.fromEntries(names.map((name) => [name, settingCheck(name)])) as Record<K, Check>;

export const yesOrNo = such((value) => typeof value === 'boolean', 'true or false');
