import type { Reader } from './parse.js';

/** One setting: its sources (`--flag`, environment, `.env`), its default, and its parser. */
export interface Setting<T> extends Reader<T> {
  flag: string;
  char?: string;
  env: string;
  /** The default, as a user would type it. Without a default, the value of an unset setting is undefined. */
  fallback?: string;
  help: string;
  /** True for a boolean setting, whose flag takes no value. */
  toggle?: boolean;
  /** True if the value must never appear in messages. */
  secret?: boolean;
  /** Removes secrets from the value, for messages. */
  redact?: (text: string) => string;
}

/** Defines a setting and keeps the type of its value. */
export const define = <S extends Setting<unknown>>(setting: S): S => setting;
