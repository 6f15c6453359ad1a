import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Order, Report } from './worker.js';

/** Seeds in one job of a worker. */
const CHUNK = 20;

/** The young generation has 32 MB: almost all objects of a run soon become garbage. */
const WORKER_FLAGS = ['--max-semi-space-size=32', '--enable-source-maps'];

/** The root of this checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Options of a pool. */
export interface PoolOptions {
  from: number;
  count: number;
  workers: number;
  options: Order['options'];
  /** The files that a deliberate mistake changes, with their contents, by path in the checkout. */
  changed?: ReadonlyMap<string, string>;
  /** Called with the totals from time to time. */
  progress?: (totals: Report) => void;
}

/**
 * Runs seeds in several processes. Ends when all are done, or when one has a violation. If several seeds have one, the lowest seed counts.
 *
 * @throws Error if a process dies.
 */
export async function runPool(pool: PoolOptions): Promise<Report> {
  const totals: Report = { seeds: 0, simulatedMs: 0, events: 0, handled: 0, failed: undefined };
  const end = pool.from + pool.count;
  let next = pool.from;
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-simulation-'));
  const file = join(folder, 'worker.cjs');
  const work = async (): Promise<void> => {
    const worker = start(file);
    try {
      while (next < end && !totals.failed) {
        const order = { from: next, count: Math.min(CHUNK, end - next), options: pool.options };
        next += order.count;
        add(totals, await ask(worker, order));
        pool.progress?.(totals);
      }
    } finally {
      worker.kill();
    }
  };
  try {
    await writeWorker(file, pool.changed ?? new Map());
    await Promise.all(Array.from({ length: pool.workers }, work));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return totals;
}

/**
 * Writes the worker as one file. A loader that compiles at run time would name each closure, which takes a third of the time.
 *
 * @param changed files that differ from the checkout, with their contents, by path.
 */
async function writeWorker(outfile: string, changed: ReadonlyMap<string, string>): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'test/simulation/worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [
      {
        name: 'changed files',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = changed.get(relative(ROOT, path));
            return contents === undefined ? undefined : { contents, loader: 'ts' };
          }),
      },
    ],
  });
}

const start = (worker: string): ChildProcess =>
  fork(worker, { execArgv: WORKER_FLAGS, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

function ask(worker: ChildProcess, order: Order): Promise<Report> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`a worker died with exit code ${code}`));
    worker.once('exit', died);
    worker.once('message', (report) => {
      worker.off('exit', died);
      resolve(report as Report);
    });
    worker.send(order);
  });
}

function add(totals: Report, report: Report): void {
  totals.seeds += report.seeds;
  totals.simulatedMs += report.simulatedMs;
  totals.events += report.events;
  totals.handled += report.handled;
  if (report.failed && (!totals.failed || report.failed.seed < totals.failed.seed))
    totals.failed = report.failed;
}
