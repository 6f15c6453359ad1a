import type { Reader } from './parse.js';

/** One setting: where it can come from (`--flag`, environment, `.env`), its default, and how it is read. */
export interface Setting<T> extends Reader<T> {
  flag: string;
  char?: string;
  env: string;
  /** The default as a user would type it; none means that the setting may be absent. */
  fallback?: string;
  help: string;
  /** A boolean setting: its flag takes no value. */
  toggle?: boolean;
  /** Its value never appears in messages. */
  secret?: boolean;
  /** Its value without the secrets that may be in it. */
  redact?: (text: string) => string;
}

/** Says what a setting is, and keeps the type of its value. */
export const define = <S extends Setting<unknown>>(setting: S): S => setting;
