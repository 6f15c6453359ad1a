import type { Call, Span } from '../recording/history.js';

/**
 * The times between two owners of a partition during `spans`, in milliseconds: from the last started call of one epoch to the first call of
 * the next. Below 0, the older owner started a call after the newer owner.
 */
export function distancesDuring(calls: readonly (readonly Call[])[], spans: readonly Span[]): number[] {
  return calls.flatMap((list) => {
    const epochs = new Map<number, { process: string; first: number; last: number }>();
    for (const { epoch, process, from } of list) {
      const known = epochs.get(epoch);
      if (known) known.last = Math.max(known.last, from);
      else epochs.set(epoch, { process, first: from, last: from });
    }
    const inOrder = [...epochs].sort(([a], [b]) => a - b).map(([, each]) => each);
    return inOrder.flatMap((next, index) => {
      const before = inOrder[index - 1];
      if (!before || before.process === next.process) return [];
      return spans.some(({ from, to }) => from <= next.first && next.first <= to)
        ? [next.first - before.last]
        : [];
    });
  });
}
