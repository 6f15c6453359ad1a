import type { RunOptions, RunResult } from './run.js';

/** What was violated in a run, and how to see it again. */
export function explain({ seed, violation }: RunResult, { members, partitions }: RunOptions = {}): string {
  const flags = [`--seed ${seed}`];
  if (members) flags.push(`--members ${members}`);
  if (partitions) flags.push(`--partitions ${partitions}`);
  const seconds = ((violation?.at ?? 0) / 1_000).toFixed(3);
  return [
    `seed ${seed}: ${violation?.invariant} violated after ${seconds} s: ${violation?.message}`,
    `replay: npm run simulate -- ${flags.join(' ')}`,
  ].join('\n');
}
