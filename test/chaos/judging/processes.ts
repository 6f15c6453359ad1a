import type { History, Life } from '../recording/history.js';
import type { Violation } from './violation.js';

/** Who was not told to end does not end, who leaves exits with 0, and what rests is not handled. */
export function judgeProcesses({ lives, faults, calls }: History): Violation[] {
  const violations = lives.flatMap((life): Violation[] => {
    const what = wrongEnd(life);
    if (what === undefined) return [];
    const text = `${life.name} ${what}: ${life.exit?.lastWords ?? ''}`;
    return [{ charge: 'process', at: life.exit?.at ?? life.from, text }];
  });
  for (const { rested, target } of faults) {
    if (!rested) continue;
    const partition = Number(target);
    for (const call of calls) {
      if (call.partition !== partition || call.from < rested.from || call.from > rested.to) continue;
      const text = `${call.process} handles p${partition} #${call.seq} while the partition rests`;
      violations.push({ charge: 'paused', at: call.from, partition, text });
    }
  }
  return violations;
}

function wrongEnd({ exit, killedAt, leftAt }: Life): string | undefined {
  if (killedAt !== undefined) return undefined;
  if (!exit) return 'did not end';
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  if (leftAt === undefined || exit.at < leftAt) return `ended by itself, ${how}`;
  return exit.code === 0 ? undefined : `was told to leave and ended ${how}`;
}
