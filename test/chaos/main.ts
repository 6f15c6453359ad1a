/**
 * `npm run chaos -- [--minutes N] [--seed S] [--rate R] [--servers 1|3] [--partitions P] [--ttl MS] [--report PREFIX]`
 * plays a run and judges it; `npm run chaos -- --judge FOLDER` judges one that was kept. NATS_SERVER_BIN chooses the
 * server. Exit code 5: something was violated; then the folder with everything that was written down is kept.
 *
 * The seed decides which faults come, and for how long; what they meet is decided by the machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../../bench/support/machine.js';
import { judgeFolder } from './judging/judge.js';
import { formatReport } from './judging/report.js';
import { drawTimeline } from './judging/timeline.js';
import { playChaos } from './run.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    rate: { type: 'string', default: '300' },
    servers: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '8' },
    ttl: { type: 'string', default: '4000' },
    judge: { type: 'string' },
    keep: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`--${name}: ${text} is not a number above 0`);
  process.exit(2);
}

/** Plays a run in a new folder; Ctrl-C ends its faults early and judges what there is. */
async function play(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-chaos-'));
  const seed =
    values.seed === undefined ? 1 + Math.floor(Math.random() * 1e9) : positive('seed', values.seed);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  console.log(`seed ${seed}, everything is written down in ${folder}`);
  await playChaos({
    seed,
    minutes: positive('minutes', values.minutes),
    rate: positive('rate', values.rate),
    servers: positive('servers', values.servers),
    partitions: positive('partitions', values.partitions),
    ttlMs: positive('ttl', values.ttl),
    folder,
    tell: (line) => console.log(line),
    signal: stop.signal,
  });
  return folder;
}

const folder = values.judge ?? (await play());
const { verdict, history } = judgeFolder(folder);
const machine = describeMachine(verdict.settings.serverVersion);
const report = formatReport(verdict, machine);
const prefix = values.report ?? join(folder, 'report');
writeFileSync(`${prefix}.txt`, report);
writeFileSync(`${prefix}.json`, `${JSON.stringify({ machine, ...verdict }, null, 2)}\n`);
writeFileSync(`${prefix}.svg`, drawTimeline(history, verdict.violations));
console.log(report);
if (verdict.ok && values.judge === undefined && !values.keep) rmSync(folder, { recursive: true });
else console.log(`kept: ${folder}`);
process.exitCode = verdict.ok ? 0 : 5;
