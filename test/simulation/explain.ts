import { type RunOptions, type RunResult, runSeed } from './run.js';

/** The lines of the trace that are shown before a violation. That is usually enough to see the cause. */
const LAST_LINES = 40;

/** The violation of a run, and the command to replay it. */
export function explain(
  { seed, violation }: RunResult,
  { members, partitions, faults }: RunOptions = {},
): string {
  const flags = [`--seed ${seed}`];
  if (members) flags.push(`--members ${members}`);
  if (partitions) flags.push(`--partitions ${partitions}`);
  if (faults?.length) flags.push(`--faults ${faults.join(',')}`);
  const seconds = ((violation?.at ?? 0) / 1_000).toFixed(3);
  return [
    `seed ${seed}: ${violation?.invariant} violated after ${seconds} s: ${violation?.message}`,
    `replay: npm run simulate -- ${flags.join(' ')}`,
  ].join('\n');
}

/** Explains a violation, with the end of its trace. Runs the seed again to record the trace. */
export async function explainWithTrace(result: RunResult, options: RunOptions = {}): Promise<string> {
  const trace: string[] = [];
  await runSeed(result.seed, { ...options, trace: (line) => trace.push(line) });
  const shown = trace.slice(-LAST_LINES);
  return [explain(result, options), `last ${shown.length} of ${trace.length} trace lines:`, ...shown].join(
    '\n',
  );
}
