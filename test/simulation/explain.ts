import { type RunOptions, type RunResult, runSeed } from './run.js';

/** Lines of a trace that lead up to a violation, mostly enough to see what went wrong. */
const LAST_LINES = 40;

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

/** The same, and the end of its trace: the seed is run once more for it. */
export async function explainWithTrace(result: RunResult, options: RunOptions = {}): Promise<string> {
  const trace: string[] = [];
  await runSeed(result.seed, { ...options, trace: (line) => trace.push(line) });
  const shown = trace.slice(-LAST_LINES);
  return [explain(result, options), `the last ${shown.length} of ${trace.length} lines:`, ...shown].join(
    '\n',
  );
}
