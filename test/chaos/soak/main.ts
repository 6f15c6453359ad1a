/**
 * `npm run soak -- [--minutes 60] [--rate 1000] [--seed S] [--servers 1|3] [--ttl 10000] [--report PREFIX] [--keep]` plays a run with a
 * steady load. A member is restarted each minute. The memory of the processes that stay is recorded. The run is judged like a chaos run,
 * and for memory leaks. Exit code 5 means a violation or a leak. The folder is then kept.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../../../bench/support/machine.js';
import { OPTIONS, playIn } from '../command.js';
import { judgeFolder } from '../judging/judge.js';
import { formatReport } from '../judging/report.js';
import { leaking } from './growth.js';
import { formatGrowth, judgeMemoryFile } from './report.js';
import { MEMORY_FILE, playSoak } from './run.js';

const { values } = parseArgs({ options: OPTIONS });
const { minutes = '60', rate = '1000', ttl = '10000', judge, keep } = values;

const folder = judge ?? (await playIn('soak', { ...values, minutes, rate, ttl }, playSoak)).folder;
const { verdict } = judgeFolder(folder);
const memory = judgeMemoryFile(join(folder, MEMORY_FILE));
const machine = describeMachine(verdict.settings.serverVersion);
const report = `${formatReport('soak', verdict, machine)}\n${formatGrowth(memory)}\n`;
const prefix = values.report ?? join(folder, 'report');
writeFileSync(`${prefix}.txt`, report);
writeFileSync(`${prefix}.json`, `${JSON.stringify({ machine, ...verdict, memory }, null, 2)}\n`);
console.log(report);
const isGood = verdict.ok && leaking(memory).length === 0;
if (isGood && judge === undefined && !keep) rmSync(folder, { recursive: true });
else console.log(`the records are kept in ${folder}`);
process.exitCode = isGood ? 0 : 5;
