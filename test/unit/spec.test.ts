import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const spec = read('SPEC.md');

/** The text of a section, by its heading. */
function section(heading: string): string {
  const text = spec.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(text, `SPEC.md has no section ${heading}`);
  return text;
}

/** The invariants, each with the tests that it names. */
function invariants(): Map<string, { file: string; title: string }[]> {
  const found = new Map<string, { file: string; title: string }[]>();
  for (const part of section('Invariants')
    .split(/^- \*\*/m)
    .slice(1)) {
    const tests = [...part.matchAll(/^ {2}- `([^`]+)`: (.+)$/gm)];
    const name = part.slice(0, part.indexOf('**'));
    found.set(
      name,
      tests.map(([, file = '', title = '']) => ({ file, title })),
    );
  }
  return found;
}

describe('SPEC.md', () => {
  it('SPEC.md names for each invariant, I1 to I14, tests that exist', () => {
    const all = invariants();
    assert.deepEqual(
      [...all.keys()],
      Array.from({ length: 14 }, (_, i) => `I${i + 1}`),
    );
    for (const [name, tests] of all) {
      assert.ok(tests.length > 0, `${name} names no test`);
      for (const { file, title } of tests) {
        assert.match(file, /^test\/.*\.test\.ts$/);
        const titles = [...read(file).matchAll(/\bit\(\s*(['"`])(.+?)\1/g)].map(([, , text]) => text);
        assert.ok(titles.includes(title), `${name}: ${file} has no test "${title}"`);
      }
    }
  });

  it('SPEC.md names every event and every effect of the protocol, and no others', () => {
    const source = read('src/core/protocol/events.ts');
    const typesOf = (name: string): string[] => {
      const [, body = ''] = source.split(new RegExp(`export type ${name} =`));
      const end = body.search(/^(export|\/\*\*)/m);
      return [...body.slice(0, end < 0 ? undefined : end).matchAll(/\btype: '([a-z-]+)'/g)].map(
        ([, type = '']) => type,
      );
    };
    const namedIn = (heading: string): string[] =>
      [...section(heading).matchAll(/`([a-z-]+)`/g)].map(([, type = '']) => type);
    assert.deepEqual(namedIn('Events').sort(), typesOf('GroupEvent').sort());
    assert.deepEqual(namedIn('Effects').sort(), typesOf('Effect').sort());
  });
});
