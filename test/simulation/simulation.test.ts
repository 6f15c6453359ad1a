import assert from 'node:assert/strict';
import { explainWithTrace } from './explain.js';
import { runPool } from './pool.js';
import { runSeed } from './run.js';

/** The seeds are fixed, so only a change of the code can cause a failure. `npm run simulate` tries new ones. */
const SEEDS = 30;

describe('the protocol in the simulator', () => {
  it('the protocol violates no invariant in the first seeds', async function () {
    this.timeout(300_000);
    const { failed, seeds } = await runPool({ from: 1, count: SEEDS, workers: 2, options: {} });
    assert.ok(!failed, failed && (await explainWithTrace(failed)));
    assert.equal(seeds, SEEDS);
  });

  it('the same seed always gives the same run', async () => {
    const traces: string[][] = [[], []];
    for (const trace of traces) await runSeed(7, { trace: (line) => trace.push(line) });
    assert.ok((traces[0]?.length ?? 0) > 100);
    assert.deepEqual(traces[0], traces[1]);
  });
});
