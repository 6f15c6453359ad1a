import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Order, Report } from './worker.js';

/** Seeds per order to a worker. */
const CHUNK = 20;

/** Size of the young generation, MB: almost everything in a run is garbage soon. */
const LARGE_NURSERY = ['--max-semi-space-size=32'];

/** The root of this checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Options of a pool. */
export interface PoolOptions {
  from: number;
  count: number;
  workers: number;
  options: Order['options'];
  /** The checkout to run: this one, or a changed copy. */
  root?: string;
  /** Called with the totals from time to time. */
  progress?: (totals: Report) => void;
}

/**
 * Runs seeds in several processes until all are done or one has a violation; of several violations the one with the lowest
 * seed counts.
 *
 * @throws Error if a process dies.
 */
export async function runPool(pool: PoolOptions): Promise<Report> {
  const totals: Report = { seeds: 0, simulatedMs: 0, events: 0, handled: 0, failed: undefined };
  const end = pool.from + pool.count;
  let next = pool.from;
  const work = async (): Promise<void> => {
    const worker = start(pool.root ?? ROOT);
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
  await Promise.all(Array.from({ length: pool.workers }, work));
  return totals;
}

function start(root: string): ChildProcess {
  const script = join(root, 'test/simulation/worker.ts');
  return fork(script, {
    execArgv: [
      ...LARGE_NURSERY,
      '--import',
      pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
    ],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

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
