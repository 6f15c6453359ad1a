/**
 * `npm run chaos -- [--minutes 10] [--seed S] [--rate 300] [--servers 1|3] [--partitions 8] [--ttl 4000] [--keyed] [--faults
 * kill,route-cut] [--report PREFIX] [--keep]` plays a run and judges it. `npm run chaos -- --judge FOLDER` judges a run whose folder was
 * kept. `--keyed` uses a keyed group over a stream that a plain client fills. The group is resized as well. `--resizes 50` plays 50 rounds
 * of resizes with kills instead (see `resizes.ts`). With `--own`, their group starts with the stream's own layout. NATS_SERVER_BIN selects
 * the server. Exit code 5 means a violation. The folder with all records is then kept.
 *
 * The seed determines the faults and their durations. All other timing depends on the machine.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../../bench/support/machine.js';
import { OPTIONS, playIn, positive, type Values } from './command.js';
import { judgeFolder, type Verdict } from './judging/judge.js';
import { formatReport } from './judging/report.js';
import { drawTimeline } from './judging/timeline.js';
import { FIRST_COUNT, playResizes } from './resizes.js';
import { playChaos } from './run.js';

function judgeRun(folder: string, prefix: string): { verdict: Verdict; report: string } {
  const { verdict, history, twin } = judgeFolder(folder);
  const machine = describeMachine(verdict.settings.serverVersion);
  const report = formatReport('chaos', verdict, machine, twin);
  writeFileSync(`${prefix}.txt`, report);
  writeFileSync(`${prefix}.json`, `${JSON.stringify({ machine, ...verdict }, null, 2)}\n`);
  writeFileSync(`${prefix}.svg`, drawTimeline(history, verdict.violations));
  return { verdict, report };
}

/** Plays and judges rounds of resizes. Returns how many of them had a violation. */
async function playRounds(rounds: number, given: Values, keep: boolean): Promise<number> {
  let [played, violated] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const { folder, isStopped } = await playIn('resizes', given, (options) => playResizes(options, round));
    if (isStopped) break;
    const { verdict, report } = judgeRun(folder, join(folder, 'report'));
    played++;
    if (!verdict.ok) violated++;
    const { confirmed, trafficMs, repeats, restMs, charges } = verdict;
    const rate = Math.round((confirmed * 1_000) / trafficMs);
    const repeated = Object.values(repeats).reduce((sum, { messages }) => sum + messages, 0);
    const slowest = Math.max(0, ...Object.values(restMs).map(({ max }) => max));
    const wrong = Object.entries(charges).flatMap(([charge, count]) =>
      count > 0 ? `${count} ${charge}` : [],
    );
    console.log(
      `round ${round + 1} of ${rounds}: ${confirmed} messages (${rate}/s), ${repeated} handled again after a fault, at rest after at most ${Math.round(slowest)} ms, load ${loadavg()[0]?.toFixed(1)}: ${wrong.join(', ') || 'nothing violated'}`,
    );
    if (!verdict.ok) console.log(report);
    if (verdict.ok && !keep) rmSync(folder, { recursive: true });
    else console.log(`the records are kept in ${folder}`);
  }
  console.log(`${played - violated} of ${played} rounds without a violation`);
  return violated;
}

const { values } = parseArgs({ options: OPTIONS });
const { minutes = '10', rate = '300', ttl = '4000', judge, keep, resizes } = values;
const given: Values = { ...values, minutes, rate, ttl };

if (resizes !== undefined) {
  const first = { ...given, keyed: !values.own, partitions: String(FIRST_COUNT) };
  const violated = await playRounds(positive('resizes', resizes), first, keep);
  process.exitCode = violated === 0 ? 0 : 5;
} else {
  const folder = judge ?? (await playIn('chaos', given, playChaos)).folder;
  const { verdict, report } = judgeRun(folder, values.report ?? join(folder, 'report'));
  console.log(report);
  if (verdict.ok && judge === undefined && !keep) rmSync(folder, { recursive: true });
  else console.log(`the records are kept in ${folder}`);
  process.exitCode = verdict.ok ? 0 : 5;
}
