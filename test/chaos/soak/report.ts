import { readFileSync } from 'node:fs';
import { table } from '../judging/table.js';
import { type Growth, judgeMemory } from './growth.js';
import type { MemoryRecord } from './memory.js';

/** Reads and judges the memory samples of a run. */
export function judgeMemoryFile(path: string): Growth[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return judgeMemory(lines.map((line) => JSON.parse(line) as MemoryRecord));
}

/** Formats the slopes as text. */
export function formatGrowth(growth: readonly Growth[]): string {
  const figure = (value: number): string => value.toFixed(2);
  const rows = growth.map(({ name, kind, verdict, mean, slope, low, high, points }) => [
    name,
    kind,
    figure(mean),
    figure(slope),
    `${figure(low)} to ${figure(high)}`,
    String(points),
    verdict,
  ]);
  const head = ['', '', 'mean MiB', 'MiB/h', '95 % interval', 'points', ''];
  const title =
    'memory after the warm-up (the first sixth), by minute, fitted by least squares; live: after full collections';
  return [title, ...table([head, ...rows], [1]).map((line) => `  ${line}`)].join('\n');
}
