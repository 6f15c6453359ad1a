/** The fields of a JSON object, not looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value as an object with fields; undefined for anything else, arrays included. */
export function asObject(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The JSON object in a text, or in bytes of UTF-8; undefined where there is none. */
export function parseObject(json: Uint8Array | string): Fields | undefined {
  try {
    return asObject(JSON.parse(typeof json === 'string' ? json : utf8.decode(json)));
  } catch {
    return undefined;
  }
}
