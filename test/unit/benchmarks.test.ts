import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { benchmarks } from '../../bench/support/benchmarks.js';

describe('npm run bench', () => {
  it('npm run bench gives each benchmark arguments that it knows', () => {
    for (const quick of [false, true]) {
      for (const [name, args] of Object.entries(benchmarks(quick, 5))) {
        const script = readFileSync(new URL(`../../bench/${name}.ts`, import.meta.url), 'utf8');
        for (const flag of ['--json', ...args.filter((arg) => arg.startsWith('--'))]) {
          const option = flag.slice(2);
          assert.match(
            script,
            new RegExp(`^    '?${option}'?: \\{ type: 'string'`, 'm'),
            `bench/${name}.ts: ${flag}`,
          );
        }
      }
    }
  });
});
