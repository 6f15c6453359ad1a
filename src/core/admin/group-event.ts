import type { LeaseReason } from '../protocol/records.js';
import { type GroupChange, nameOf, readable } from './group-entries.js';

/** A change of a member. `died`: its session ended without a leave. `ended`: it left or died, and the observer does not know which. */
interface MemberEvent {
  event: 'joined' | 'leaving' | 'left' | 'died' | 'ended';
  member: string;
  session: string;
}

/**
 * A partition has a new owner, the same owner under a new epoch, or no owner. `from`: the previous owner; null if there was none, or if it
 * is unknown.
 */
type OwnerEvent = { partition: number; epoch: number; from: string | null; fromSession: string | null } & (
  | { event: 'acquired'; member: string; session: string; reason: LeaseReason }
  /** The partition has no owner. `keptForMs`: how long it is reserved for a restart of the previous owner; null if it is free. */
  | { event: 'released'; keptForMs: number | null }
);

/** An operator has changed the override of a partition. */
interface OverrideEvent {
  event: 'paused' | 'resumed' | 'pinned' | 'unpinned';
  partition: number;
  by: string;
  /** The member to which the partition is pinned. */
  to: string | null;
}

/** A change of a group, as `leases events` and `top` show it. Members are given by name. */
export type GroupEvent =
  | MemberEvent
  | OwnerEvent
  | OverrideEvent
  /**
   * A resize was requested, withdrawn or completed. `partitionsAfter`: the requested number for `resizing`, otherwise the present number.
   */
  | {
      event: 'resizing' | 'resize-aborted' | 'resized';
      partitionsBefore: number;
      partitionsAfter: number;
      by: string | null;
    }
  /** An entry that cannot be read. */
  | { event: 'unreadable'; key: string; partition?: number };

/** The events of a change; empty for the end of a session that was never seen. */
export function eventsOf(change: GroupChange): GroupEvent[] {
  if (change.kind === 'session') return sessionEvents(change);
  if (change.kind === 'layout') return layoutEvents(change);
  const { kind, partition } = change;
  if (change.after.record === 'unreadable')
    return [{ event: 'unreadable', key: `${kind}.${partition}`, partition }];
  return change.kind === 'lease' ? [leaseEvent(change)] : overrideEvents(change);
}

function sessionEvents({ id, before, after }: Extract<GroupChange, { kind: 'session' }>): GroupEvent[] {
  const known = after ?? before;
  if (!known) return [];
  const tell = (event: MemberEvent['event']): MemberEvent => ({ event, member: nameOf(known), session: id });
  if (!after) return [tell(known.record?.leaving ? 'left' : 'died')];
  const events: GroupEvent[] = before ? [] : [tell('joined')];
  if (!after.record && (!before || before.record)) events.push({ event: 'unreadable', key: `session.${id}` });
  if (after.record?.leaving && before?.record && !before.record.leaving) events.push(tell('leaving'));
  return events;
}

function leaseEvent({ partition, before, after }: Extract<GroupChange, { kind: 'lease' }>): GroupEvent {
  const record = readable(after);
  const from = record?.from ?? null;
  const moved = { partition, epoch: after.revision, from, fromSession: readable(before)?.owner ?? null };
  if (!record?.owner) return { event: 'released', ...moved, keptForMs: record?.reserved?.forMs ?? null };
  return { event: 'acquired', ...moved, member: record.name, session: record.owner, reason: record.reason };
}

function layoutEvents({ before, after }: Extract<GroupChange, { kind: 'layout' }>): GroupEvent[] {
  if (after.record === 'unreadable') return [{ event: 'unreadable', key: 'layout' }];
  const [was, is] = [readable(before), readable(after)];
  if (!was || !is) return [];
  const by = is.next?.by ?? was.next?.by ?? null;
  const tell = (
    event: 'resizing' | 'resize-aborted' | 'resized',
    partitionsBefore: number,
    partitionsAfter: number,
  ): GroupEvent[] => [{ event, partitionsBefore, partitionsAfter, by }];
  if ((is.epoch ?? 0) > (was.epoch ?? 0)) return tell('resized', was.partitions, is.partitions);
  if (is.next) return tell('resizing', was.partitions, is.next.partitions);
  return was.next ? tell('resize-aborted', was.next.partitions, is.partitions) : [];
}

function overrideEvents(change: Extract<GroupChange, { kind: 'override' }>): GroupEvent[] {
  const { partition, before, after } = change;
  const [was, is] = [readable(before), readable(after)];
  const [pinBefore, pin] = [was?.pin ?? null, is?.pin ?? null];
  const events: OverrideEvent['event'][] = [];
  if ((is?.paused ?? false) !== (was?.paused ?? false)) events.push(is?.paused ? 'paused' : 'resumed');
  if (pin !== pinBefore) events.push(pin === null ? 'unpinned' : 'pinned');
  return events.map((event) => ({ event, partition, by: is?.by ?? '', to: pin }));
}
