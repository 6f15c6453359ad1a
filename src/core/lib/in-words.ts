/** A longer text is cut to this number of characters. */
const MOST_CHARACTERS = 60;

/** A value in one short line, in the notation of a program: `"10s"`, `5`, `5n`, `a function`, `{"a":1}`. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return 'a symbol';
    case 'object':
      return cut(objectInWords(value));
    case 'string':
      return cut(JSON.stringify(value));
    default:
      return String(value);
  }
}

const cut = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;

function objectInWords(value: object | null): string {
  const name = value === null || Array.isArray(value) ? 'Object' : (value.constructor?.name ?? 'Object');
  if (name !== 'Object') return `an object (${name})`;
  try {
    return JSON.stringify(value);
  } catch {
    // The object contains a cycle or a bigint.
    return 'an object';
  }
}
