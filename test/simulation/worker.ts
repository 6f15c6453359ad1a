/** A process that runs seeds for `pool.ts`. It receives jobs as messages, and answers with reports. */
import { type RunOptions, type RunResult, runSeed } from './run.js';

/** A job: run `count` seeds from `from` on. It ends early at the first violation. */
export interface Order {
  from: number;
  count: number;
  options: Pick<RunOptions, 'members' | 'partitions' | 'faults'>;
}

/** The result of a job: totals, and the first violation. */
export interface Report {
  seeds: number;
  simulatedMs: number;
  events: number;
  handled: number;
  failed: RunResult | undefined;
}

process.on('message', async ({ from, count, options }: Order) => {
  const report: Report = { seeds: 0, simulatedMs: 0, events: 0, handled: 0, failed: undefined };
  for (let seed = from; seed < from + count && !report.failed; seed++) {
    const result = await runSeed(seed, options);
    report.seeds++;
    report.simulatedMs += result.simulatedMs;
    report.events += result.events;
    report.handled += result.handled;
    if (result.violation) report.failed = result;
  }
  // The pool may have ended meanwhile.
  if (process.connected) process.send?.(report);
});
