import assert from 'node:assert/strict';
import { explainWithTrace } from './explain.js';
import { runPool } from './pool.js';
import { runSeed } from './run.js';

/** Seeds that every run of the tests tries, other ones each time. */
const SEEDS = 500;

describe('the protocol in the simulator', () => {
  it('violates nothing in fresh seeds, other ones each time', async function () {
    this.timeout(300_000);
    const from = 1 + Math.floor(Math.random() * 1e9);
    if (this.test) this.test.title += `: ${SEEDS} from ${from} on`;
    const { failed, seeds } = await runPool({ from, count: SEEDS, workers: 2, options: {} });
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
