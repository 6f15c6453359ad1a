import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { decodeEvent } from '../../src/top/model/decode.js';
import { EVENTS } from './samples.js';
import { TARGETS } from './targets.js';

/** The number of cases of all targets together. `npm run fuzz` runs a million. */
const CASES = Number(process.env.FUZZ_CASES ?? 10_000);
/**
 * A failure's message contains its seed. FUZZ_SEED repeats that run. By default the suite always runs the same cases. With FUZZ_CASES they
 * are new each time.
 */
const SEED = process.env.FUZZ_SEED ?? (process.env.FUZZ_CASES === undefined ? '1' : undefined);

describe('input from outside is decoded without exceptions, within bounds, and shown safely', function () {
  this.timeout(0);
  const weights = TARGETS.reduce((sum, { weight }) => sum + weight, 0);
  for (const { name, weight, property } of TARGETS) {
    it(`fuzzed ${name} cause no fault`, () => {
      const numRuns = Math.ceil((CASES * weight) / weights);
      fc.assert(property, { numRuns, ...(SEED !== undefined && { seed: Number(SEED) }) });
    });
  }

  it('the samples of events are accepted', () => {
    for (const event of EVENTS) assert.ok(decodeEvent(event), JSON.stringify(event));
  });

  it('a complete recording of an earlier version is accepted', () => {
    const recorded = readFileSync(fileURLToPath(new URL('../../docs/top.ndjson', import.meta.url)), 'utf8');
    const lines = recorded.split('\n').filter((line) => line !== '');
    for (const line of lines) assert.ok(decodeEvent(JSON.parse(line)), line);
  });
});
