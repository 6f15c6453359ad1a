import { judgeHistory } from './judging/judge.js';
import type { Charge } from './judging/violation.js';
import type { History } from './recording/history.js';

/** The distinct charges that the judge finds in a falsified history. */
export function charges(history: History): Charge[] {
  history.calls.sort((a, b) => a.from - b.from);
  const { charges: counts } = judgeHistory(history);
  return (Object.keys(counts) as Charge[]).filter((charge) => counts[charge] > 0);
}
