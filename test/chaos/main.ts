/**
 * `npm run chaos -- [--minutes 10] [--seed S] [--rate 300] [--servers 1|3] [--partitions 8] [--ttl 4000]
 * [--keyed] [--faults kill,route-cut] [--report PREFIX] [--keep]` plays a run and judges it; `npm run chaos -- --judge FOLDER` judges one that was kept.
 * `--keyed`: a keyed group over a stream that a plain client fills. NATS_SERVER_BIN chooses the server. Exit code 5: something was violated; then the folder with everything that was
 * written down is kept.
 *
 * The seed decides which faults come, and for how long; what they meet is decided by the machine.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../../bench/support/machine.js';
import { OPTIONS, playIn } from './command.js';
import { judgeFolder } from './judging/judge.js';
import { formatReport } from './judging/report.js';
import { drawTimeline } from './judging/timeline.js';
import { playChaos } from './run.js';

const { values } = parseArgs({ options: OPTIONS });
const { minutes = '10', rate = '300', ttl = '4000', judge, keep } = values;

const folder = judge ?? (await playIn('chaos', { ...values, minutes, rate, ttl }, playChaos));
const { verdict, history, twin } = judgeFolder(folder);
const machine = describeMachine(verdict.settings.serverVersion);
const report = formatReport('chaos', verdict, machine, twin);
const prefix = values.report ?? join(folder, 'report');
writeFileSync(`${prefix}.txt`, report);
writeFileSync(`${prefix}.json`, `${JSON.stringify({ machine, ...verdict }, null, 2)}\n`);
writeFileSync(`${prefix}.svg`, drawTimeline(history, verdict.violations));
console.log(report);
if (verdict.ok && judge === undefined && !keep) rmSync(folder, { recursive: true });
else console.log(`kept: ${folder}`);
process.exitCode = verdict.ok ? 0 : 5;
