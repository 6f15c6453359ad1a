import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine } from '../../bench/support/machine.js';
import { judgeFolder } from './judging/judge.js';
import { formatReport } from './judging/report.js';
import { playChaos } from './run.js';

/** `CHAOS_SEED=7 npx mocha test/chaos/chaos.test.ts` repeats the faults of seed 7. */
const SEED = Number(process.env.CHAOS_SEED ?? 1 + Math.floor(Math.random() * 1e9));
/** With `CHAOS_SERVERS=3` the run uses a cluster of three servers. */
const SERVERS = Number(process.env.CHAOS_SERVERS ?? 1);
/** With an even seed, the group is keyed and is also resized. */
const IS_KEYED = SEED % 2 === 0;
/** Duration of the run: long enough for most kinds of faults. */
const MINUTES = 1;

describe('a short chaos run', () => {
  it(`a minute of random faults violates no invariant${IS_KEYED ? ' in a keyed group' : ''}, seed ${SEED}`, async function () {
    this.timeout(600_000);
    const folder = mkdtempSync(join(tmpdir(), 'natspoc-chaos-'));
    await playChaos({
      ...{ seed: SEED, minutes: MINUTES, rate: 200, servers: SERVERS, partitions: 8, ttlMs: 4_000, folder },
      keyed: IS_KEYED,
      tell: () => {},
      signal: new AbortController().signal,
    });
    const { verdict, twin } = judgeFolder(folder);
    const report = formatReport('chaos', verdict, describeMachine(verdict.settings.serverVersion), twin);
    assert.ok(verdict.ok, `the records are in ${folder}\n${report}`);
    rmSync(folder, { recursive: true });
  });
});
