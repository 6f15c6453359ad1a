import fc from 'fast-check';

/** Control sequences (title, color, clear screen), marks for right-to-left text, and all line breaks. */
export const BYTES = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\u2066\u061c\u2028\u0085\r\n\u0008\u007f\0';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the tests look for them
export const RAW = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/;

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

/** Values that often cause errors. */
export const awkward: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    -1,
    0,
    1,
    0.5,
    65_535,
    65_536,
    2 ** 31,
    2 ** 53,
    1e300,
    -1e300,
    8.64e15,
    8.64e15 + 1,
    '',
    '0',
    '-1',
    '1e9',
    '__proto__',
    'constructor',
    'toString',
    BYTES,
    'x'.repeat(2_000),
    [],
    {},
    [null],
    deep(100),
    'unreadable',
    '2026-11-28T00:00:00.000Z',
  ),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
);

/** The sample, with up to three of its inner values replaced by awkward ones. */
export function mutated(sample: unknown): fc.Arbitrary<unknown> {
  return fc
    .array(fc.tuple(fc.nat(), awkward), { maxLength: 3 })
    .map((changes) => changes.reduce((value, [at, put]) => replaceAt(value, at, put), sample));
}

/** Copies a value. `put` replaces the inner value that the number `at` selects. */
function replaceAt(value: unknown, at: number, put: unknown): unknown {
  if (typeof value !== 'object' || value === null) return put;
  const names = Object.keys(value);
  const index = at % (names.length + 1);
  const name = names[index];
  if (name === undefined) return at % 7 === 0 ? put : { ...value, [`extra${at % 3}`]: put };
  const inside: unknown = Reflect.get(value, name);
  const changed = replaceAt(inside, Math.floor(at / (names.length + 1)), put);
  if (Array.isArray(value)) return value.map((each: unknown, i) => (i === index ? changed : each));
  return { ...value, [name]: changed };
}

const encoder = new TextEncoder();

/** Bytes: mutated samples as JSON, truncated samples, or arbitrary bytes. */
export function bytesLike(...samples: readonly unknown[]): fc.Arbitrary<Uint8Array> {
  const json = fc
    .oneof(...samples.map(mutated))
    .map((value) => encoder.encode(JSON.stringify(value) ?? 'undefined'));
  return fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 1, arbitrary: fc.tuple(json, fc.nat(200)).map(([bytes, end]) => bytes.subarray(0, end)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

/** Text: a sample with parts repeated, left out, or replaced. */
export function textLike(...samples: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      '..',
      ' ',
      '-',
      '+',
      '%',
      '{{',
      '}}',
      '*',
      '>',
      '9'.repeat(400),
      BYTES,
      ':',
      '/',
      '@',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  return fc.oneof(
    fc.tuple(fc.constantFrom(...samples), fc.nat(), fc.nat(30), piece).map(([text, start, length, put]) => {
      const at = start % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + (length % 5));
    }),
    fc.string({ unit: 'binary' }),
  );
}
