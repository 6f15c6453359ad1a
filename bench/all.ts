/**
 * Runs the benchmarks that compare natspoc with alternatives: publishing, consuming, and a consumer that dies or leaves. Writes one table
 * and one file.
 *
 *     npm run bench [-- --quick] [--rounds N] [--json FILE]
 *
 * `--quick` only shows that the benchmarks run. Its figures mean nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarks } from './support/benchmarks.js';
import { type BenchResults, summarise } from './support/summary.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string', default: 'bench.json' },
  },
});
const { quick } = options;
const rounds = quick ? 1 : Number(options.rounds);

/** Runs one benchmark, and returns the JSON that it writes; its messages go to stderr. */
async function run(name: string, args: string[], folder: string): Promise<unknown> {
  const file = join(folder, `${name}.json`);
  const script = join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args, '--json', file], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bench/${name}.ts ended with ${code}`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
try {
  const results: Record<string, unknown> = {};
  for (const [name, args] of Object.entries(benchmarks(quick, rounds))) {
    process.stderr.write(`\n=== ${name} ===\n`);
    results[name] = await run(name, args, folder);
  }
  writeFileSync(options.json, `${JSON.stringify({ quick, rounds, results }, null, 2)}\n`);
  const all = results as unknown as BenchResults;
  process.stdout.write(`\n${JSON.stringify(all.publish.machine)}\n${summarise(all)}\n`);
  process.stdout.write(
    `\nAll figures are in ${options.json}.${quick ? ' With --quick they mean nothing.' : ''}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
