import type { Machine } from '../../../bench/support/machine.js';
import { formatCount } from '../../../src/core/lib/units.js';
import { describeTime } from './describe.js';
import type { Verdict } from './judge.js';
import type { Spread } from './spread.js';
import { table } from './table.js';
import { CHARGES, type Charge } from './violation.js';

const spreadCells = ({ count, min, median, p99, max }: Spread): string[] =>
  [count, min, median, p99, max].map((value) => formatCount(value));

const plural = (count: number, what: string): string =>
  `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;

/** Formats a verdict as text. `title` is the kind of run. `twin` is the verdict of the twin group. */
export function formatReport(title: string, verdict: Verdict, machine: Machine, twin?: Verdict): string {
  const { settings, charges, faults, repeats, excusedOverlaps, restMs, violations } = verdict;
  const place =
    settings.servers === 1
      ? `one nats-server ${settings.serverVersion}`
      : `a cluster of ${settings.servers} nats-servers ${settings.serverVersion}`;
  const lines = [
    `${title}: ${verdict.ok ? 'nothing violated' : 'VIOLATED'}`,
    '',
    `${settings.startedAt}, seed ${settings.seed}, ${settings.minutes} minutes at ${settings.rate} messages/s on ${place}`,
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, node ${machine.node}, load ${machine.loadAverage}`,
    `${verdict.partitions.join(', ')} partitions, ttl ${settings.ttlMs} ms, drain timeout ${settings.drainTimeoutMs} ms, commit interval ${settings.commitIntervalMs} ms`,
    '',
    `${plural(verdict.confirmed, 'message')} confirmed (${Math.round((verdict.confirmed * 1_000) / verdict.trafficMs)}/s), ${formatCount(verdict.handled)} handled, in ${plural(verdict.calls, 'call')}`,
    `  of which ${formatCount(verdict.unfinished.failed)} failed on purpose, ${formatCount(verdict.unfinished.stopped)} stopped after an aborted signal, ${formatCount(verdict.unfinished.cut)} were cut off with their process`,
    `${plural(verdict.members, 'member process')}, ${plural(verdict.epochs, 'epoch')}, ${describeTime(verdict.durationMs)} from the first to the last call`.replace(
      'processs',
      'processes',
    ),
    '',
    ...table(
      Object.entries(CHARGES).map(([charge, what]) => [charge, String(charges[charge as Charge]), what]),
      [2],
    ),
    '',
    'faults: ' +
      Object.entries(faults)
        .map(([kind, count]) => `${count} ${kind}`)
        .join(', '),
    '',
    ...section(
      'messages handled again, by explanation (ms in which the previous owner could have committed)',
      Object.entries(repeats).map(([cause, { ableMs }]) => [cause, ...spreadCells(ableMs)]),
    ),
    ...section(
      'time from a fault until the group was at rest, ms',
      Object.entries(restMs).map(([kind, spread]) => [kind, ...spreadCells(spread)]),
    ),
  ];
  if (verdict.cutDistancesMs) {
    lines.push(
      ...section('time between the calls of two owners while routes were cut, ms', [
        ['distance', ...spreadCells(verdict.cutDistancesMs)],
      ]),
    );
  }
  const excuses = Object.entries(excusedOverlaps).map(([excuse, count]) => `${count} ${excuse}`);
  lines.push(`overlapping handlers that are not a violation: ${excuses.join(', ') || 'none'}`, '');
  if (twin) {
    const found = Object.entries(twin.charges).filter(([, count]) => count > 0);
    const what = found.map(([charge, count]) => `${count} ${charge}`).join(', ') || 'nothing violated';
    lines.push(`the group with another bucket: ${formatCount(twin.handled)} handled, ${what}`, '');
  }
  for (const { charge, at, text, context } of [...violations, ...(twin?.violations ?? [])]) {
    lines.push(`${charge} at ${describeTime(at)}: ${text}`, ...context.map((line) => `    ${line}`), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function section(title: string, rows: string[][]): string[] {
  if (rows.length === 0) return [];
  return [
    title,
    ...table([['', 'count', 'min', 'median', 'p99', 'max'], ...rows]).map((line) => `  ${line}`),
    '',
  ];
}
