import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { decodeEvent } from '../../src/top/model/decode.js';
import { EVENTS } from './samples.js';
import { TARGETS } from './targets.js';

/** The number of cases for all targets together; `npm run fuzz` runs a million. */
const CASES = Number(process.env.FUZZ_CASES ?? 10_000);
/**
 * The seed of a failure is in its message; FUZZ_SEED repeats that run. The suite always runs the same cases; a run with more cases uses
 * new cases each time.
 */
const SEED = process.env.FUZZ_SEED ?? (process.env.FUZZ_CASES === undefined ? '1' : undefined);

describe('input from outside is decoded without exceptions, within bounds, and shown safely', function () {
  this.timeout(0);
  const weights = TARGETS.reduce((sum, { weight }) => sum + weight, 0);
  for (const { name, weight, property } of TARGETS) {
    it(name, () => {
      const numRuns = Math.ceil((CASES * weight) / weights);
      fc.assert(property, { numRuns, ...(SEED !== undefined && { seed: Number(SEED) }) });
    });
  }

  it('accepts its own samples as events', () => {
    for (const event of EVENTS) assert.ok(decodeEvent(event), JSON.stringify(event));
  });

  it('accepts a complete recording of an earlier version', () => {
    const recorded = readFileSync(fileURLToPath(new URL('../../docs/top.ndjson', import.meta.url)), 'utf8');
    const lines = recorded.split('\n').filter((line) => line !== '');
    for (const line of lines) assert.ok(decodeEvent(JSON.parse(line)), line);
  });
});
