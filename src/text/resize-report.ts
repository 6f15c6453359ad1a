import type { ResizeOutcome, ResizePlan } from '../core/admin/resize.js';
import { countOf, formatDuration } from '../core/lib/units.js';
import { partitionList } from './partition-list.js';

function overrides({ dropped, kept, paused, to }: ResizePlan): string[] {
  return [
    ...(dropped.length > 0 ? [`Pins and pauses of ${partitionList(dropped)} are dropped.`] : []),
    ...(paused
      ? [`All partitions are paused, so all ${to} new ones are paused, too.`]
      : kept.length > 0
        ? [`Pins and pauses of ${partitionList(kept)} stay, but belong to other keys afterwards.`]
        : []),
  ];
}

/** The plan of a resize, as lines. */
export function describePlan(group: string, plan: ResizePlan): string[] {
  const { from, to } = plan;
  if (from === to) return [`Group ${group} has ${countOf(to, 'partition')} already.`];
  return [
    `Group ${group} would be resized from ${from} to ${countOf(to, 'partition')}: all partitions are drained and closed, then the new ones begin.`,
    ...overrides(plan),
  ];
}

/** The outcome of a resize, as lines. */
export function describeResize(group: string, done: ResizeOutcome): string[] {
  const { from, to, outcome, tookMs } = done;
  switch (outcome) {
    case 'unchanged':
      return [`Group ${group} has ${countOf(to, 'partition')} already.`];
    case 'resized':
      return [
        `Resized group ${group} from ${from} to ${countOf(to, 'partition')} in ${formatDuration(tookMs)}.`,
        ...overrides(done),
      ];
    case 'waiting':
      return [
        `Requested: group ${group} goes from ${from} to ${countOf(to, 'partition')} as soon as its members have closed all partitions. "natspoc leases" shows it; "natspoc leases resize --abort" withdraws it.`,
      ];
    case 'aborted':
      return [`Group ${group} keeps its ${countOf(from, 'partition')}: the resize was withdrawn.`];
  }
}
