import { parseBytes, parseCount, parseDuration } from '../lib/units.js';
import { isFilter } from '../protocol/record-format.js';
import { fitsIn, MAX_CONFIGURED_BYTES } from '../protocol/subject.js';

/** How a value is parsed, and which values are allowed. */
export interface Reader<T> {
  /** `undefined` for a value that is not `allowed`. */
  parse: (text: string) => T | undefined;
  /** The allowed values, as the end of the error message "… is not …". */
  allowed: string;
}

/** The bounds of a number, and its unit. */
export interface Range {
  least: number;
  most: number;
  unit: 'whole number' | 'number of milliseconds' | 'number of bytes';
}

/** Parses a number from the text of a flag or variable. A program passes a number within `range` instead of text. */
export interface NumberReader extends Reader<number> {
  range: Range;
}

/** Accepts any text that is not blank, and trims it. */
export const text = (value: string): string | undefined => (value.trim() === '' ? undefined : value.trim());
/** Accepts true or false, in the usual spellings. */
export const toggle = (value: string): boolean | undefined =>
  /^(1|true|yes|on)$/i.test(value) ? true : /^(0|false|no|off|)$/i.test(value) ? false : undefined;
/** Accepts a whole number within these bounds. */
export const integer = (min: number, max: number): NumberReader => ({
  parse(text) {
    const number = parseCount(text);
    return number !== undefined && number >= min && number <= max ? number : undefined;
  },
  allowed: `a whole number from ${min} to ${max}`,
  range: { least: min, most: max, unit: 'whole number' },
});
/** Creates a parser of amounts, such as durations. The bounds are given as users type them. */
const amount =
  (what: string, unit: Range['unit'], read: (text: string) => number | undefined) =>
  (min: string, max: string, example: string): NumberReader => {
    const [least = Number.NaN, most = Number.NaN] = [read(min), read(max)];
    return {
      parse(text) {
        const value = read(text);
        return value !== undefined && value >= least && value <= most ? value : undefined;
      },
      allowed: `a ${what} from ${min} to ${max}, such as ${example}`,
      range: { least, most, unit },
    };
  };
/** Accepts a duration within these bounds, and returns milliseconds. */
export const duration = amount('duration', 'number of milliseconds', parseDuration);
/** Accepts a size within these bounds, and returns bytes. */
export const size = amount('size', 'number of bytes', parseBytes);
/** Accepts only these words. */
export const oneOf =
  <T extends string>(...values: T[]) =>
  (value: string): T | undefined =>
    values.find((candidate) => candidate === value.trim());

/** Accepts a name that is valid in JetStream and in natspoc's bucket keys, without dots, spaces or wildcards. */
export const name = (value: string) => nameUpTo(64).parse(value);
/** Accepts a {@link name} of at most this length. The server allows 255 characters, with its own prefixes and ours. */
export const nameUpTo = (most: number) => ({
  parse: (value: string): string | undefined =>
    /^[A-Za-z0-9_-]+$/.test(value.trim()) && value.trim().length <= most ? value.trim() : undefined,
  allowed: `1 to ${most} letters, digits, - or _`,
});
/** Describes {@link name}. */
export const NAME_ALLOWED = nameUpTo(64).allowed;
/** Accepts a name for people, without characters that move the cursor or change the writing direction. */
export const memberName = (value: string) =>
  /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u.test(value.trim()) ? value.trim() : undefined;
/** Accepts a subject that has no wildcards and is not reserved by the server (`$…`). */
export const subject = (value: string) =>
  /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value.trim()) && !value.startsWith('$') ? short(value) : undefined;
/** Accepts a subject that may have wildcards. */
export const filter = (value: string) => (isFilter(value.trim()) ? short(value) : undefined);
const short = (value: string) => (fitsIn(MAX_CONFIGURED_BYTES, value.trim()) ? value.trim() : undefined);
/** The end of the description of {@link subject} and {@link filter}. */
export const SHORT_ENOUGH = `of at most ${MAX_CONFIGURED_BYTES} bytes`;
/** Accepts URLs of servers, separated by commas. */
export const servers = (value: string) => {
  const urls = value.split(',').map((url) => url.trim());
  const valid = urls.every(
    (url) => /^((nats|tls):\/\/)?[^\s/@]*(@)?[^\s/@]+$/.test(url) && hasPossiblePort(url),
  );
  return valid ? urls : undefined;
};
/** True if a URL has a valid port or no port. An IPv6 address without brackets counts as an address without a port. */
function hasPossiblePort(url: string): boolean {
  const place = url.replace(/^(\w+:\/\/)?([^@]*@)?/, '');
  const port = /^(?:\[[^\]]*\]|[^:]*):([^:]*)$/.exec(place)?.[1];
  return port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
}
