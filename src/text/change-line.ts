import type { GroupEvent } from '../core/admin/group-event.js';
import { escapeControl } from '../core/lib/text.js';
import { formatDuration } from '../core/lib/units.js';
import { timeOfDay } from './time-of-day.js';

const VERBS = { claim: 'claimed by', handover: 'handed to', release: 'released to' } as const;

/** An event of a group as one line for people. */
export function describeEvent(event: GroupEvent, atMs: number): string {
  return `${timeOfDay(atMs, true)}  ${describe(event)}`;
}

function describe(event: GroupEvent): string {
  const from = 'from' in event && event.from !== null ? escapeControl(event.from) : undefined;
  switch (event.event) {
    case 'acquired': {
      const { partition, reason, member, epoch } = event;
      return `p${partition} ${VERBS[reason]} ${escapeControl(member)}${from ? ` from ${from}` : ''}, epoch ${epoch}`;
    }
    case 'released': {
      const { partition, epoch, keptForMs } = event;
      const kept = keptForMs === null ? undefined : formatDuration(keptForMs);
      const why = kept ? `, kept ${kept} for a restart of ${from}` : from ? `, released by ${from}` : '';
      return `p${partition} has no owner${why}, epoch ${epoch}`;
    }
    case 'unreadable':
      return `the entry ${escapeControl(event.key)} cannot be read`;
    case 'paused':
    case 'resumed':
    case 'unpinned':
      return `p${event.partition} ${event.event} by ${escapeControl(event.by)}`;
    case 'pinned':
      return `p${event.partition} pinned to ${escapeControl(event.to ?? '')} by ${escapeControl(event.by)}`;
    case 'resizing':
      return `${escapeControl(event.by ?? '')} resizes the group from ${event.partitionsBefore} to ${event.partitionsAfter} partitions`;
    case 'resize-aborted':
      return `the resize to ${event.partitionsBefore} partitions was aborted: the group keeps ${event.partitionsAfter}`;
    case 'resized':
      return `the group was resized from ${event.partitionsBefore} to ${event.partitionsAfter} partitions`;
    case 'died':
      return `${escapeControl(event.member)} died or was fenced`;
    case 'leaving':
      return `${escapeControl(event.member)} is leaving`;
    default:
      return `${escapeControl(event.member)} ${event.event}`;
  }
}
