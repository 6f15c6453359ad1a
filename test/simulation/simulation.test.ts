import assert from 'node:assert/strict';
import { explainWithTrace } from './explain.js';
import { runPool } from './pool.js';
import { runSeed } from './run.js';

/** Fixed seeds, so that a failure is caused by a change. `npm run simulate` tries new ones. */
const SEEDS = 30;

describe('the protocol in the simulator', () => {
  it('violates nothing in the first seeds', async function () {
    this.timeout(300_000);
    const { failed, seeds } = await runPool({ from: 1, count: SEEDS, workers: 2, options: {} });
    assert.ok(!failed, failed && (await explainWithTrace(failed)));
    assert.equal(seeds, SEEDS);
  });

  it('runs the same seed the same way', async () => {
    const traces: string[][] = [[], []];
    for (const trace of traces) await runSeed(7, { trace: (line) => trace.push(line) });
    assert.ok((traces[0]?.length ?? 0) > 100);
    assert.deepEqual(traces[0], traces[1]);
  });
});
