/** The unchecked fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value as an object with fields; undefined for anything else, including arrays. */
export function asObject(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The JSON object in a text, or in UTF-8 bytes; undefined if there is none. */
export function parseObject(json: Uint8Array | string): Fields | undefined {
  try {
    return asObject(JSON.parse(typeof json === 'string' ? json : utf8.decode(json)));
  } catch {
    return undefined;
  }
}

/** The JSON value in UTF-8 bytes. @throws SyntaxError if the bytes are not UTF-8 or not JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new SyntaxError('the payload is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('the payload is not JSON');
  }
}

/** A check of one field. */
export type Guard<T> = (value: unknown) => value is T;
type Guards<T> = { readonly [K in keyof T]: Guard<T[K]> };

/**
 * The listed fields of an object, checked. Leaves out all other fields, and each optional field that does not pass its check.
 *
 * @returns undefined if a required field does not pass its check.
 */
export function decode<Required extends object, Optional extends object = object>(
  value: unknown,
  required: Guards<Required>,
  optional?: Guards<Optional>,
): (Required & Partial<Optional>) | undefined {
  const fields = asObject(value);
  if (!fields) return undefined;
  const entries = (guards: object): [string, Guard<unknown>][] => Object.entries(guards);
  const passes = ([name, guard]: [string, Guard<unknown>]): boolean => guard(fields[name]);
  const needed = entries(required);
  if (!needed.every(passes)) return undefined;
  const found = [...needed, ...entries(optional ?? {}).filter(passes)].map(([name]) => [name, fields[name]]);
  return Object.fromEntries(found);
}

/** A whole number, 0 or more. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** Accepts null as well. */
export const orNull =
  <T>(guard: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || guard(value);
