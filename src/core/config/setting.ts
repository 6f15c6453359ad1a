import type { Reader } from './parse.js';

/** One setting: its sources (`--flag`, environment, `.env`), its default, and its parser. */
export interface Setting<T> extends Reader<T> {
  flag: string;
  char?: string;
  env: string;
  /** The default as a user would type it; absent: the setting may be absent. */
  fallback?: string;
  help: string;
  /** A boolean setting: its flag takes no value. */
  toggle?: boolean;
  /** Its value never appears in messages. */
  secret?: boolean;
  /** Removes secrets from its value. */
  redact?: (text: string) => string;
}

/** Defines a setting and keeps the type of its value. */
export const define = <S extends Setting<unknown>>(setting: S): S => setting;
