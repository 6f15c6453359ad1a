import type { History, Life } from '../recording/history.js';
import type { Layouts } from './layouts.js';
import type { Violation } from './violation.js';

/**
 * Checks that no process ends without a request, that a leaving member exits with 0, and that paused partitions are not handled. After a
 * resize, a partition with the same number stays paused.
 */
export function judgeProcesses({ lives, faults, calls }: History, layouts: Layouts): Violation[] {
  const violations = lives.flatMap((life): Violation[] => {
    const what = wrongEnd(life);
    if (what === undefined) return [];
    const text = `${life.name} ${what}: ${life.exit?.lastWords ?? ''}`;
    return [{ charge: 'process', at: life.exit?.at ?? life.from, text }];
  });
  for (const { rested, target } of faults) {
    if (!rested) continue;
    const partition = Number(target);
    const dropped = layouts.all.find(({ at, partitions }) => at > rested.from && partitions <= partition);
    const to = Math.min(rested.to, dropped?.at ?? rested.to);
    for (const call of calls) {
      if (call.partition !== partition || call.from < rested.from || call.from > to) continue;
      const text = `${call.process} handles p${partition} #${call.seq} while the partition is paused`;
      violations.push({ charge: 'paused', at: call.from, partition, text });
    }
  }
  return violations;
}

function wrongEnd({ exit, killedAt, leftAt }: Life): string | undefined {
  if (killedAt !== undefined) return undefined;
  if (!exit) return 'did not end';
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  if (leftAt === undefined || exit.at < leftAt) return `ended unexpectedly, ${how}`;
  return exit.code === 0 ? undefined : `was asked to leave and ended ${how}`;
}
