import type { GroupChange } from '../core/admin/follower.js';
import { escapeControl } from '../core/lib/text.js';

/** A change as one line of NDJSON; `at` is the time at the observer. */
export interface ChangeRecord {
  at: string;
  event: 'acquired' | 'released' | 'unreadable' | 'joined' | 'leaving' | 'left' | 'died';
  partition: number | null;
  epoch: number | null;
  member: string | null;
  session: string | null;
  /** The previous owner. */
  from: string | null;
  reason: string | null;
}

/** A change as data. A member whose session ends without the mark that it is leaving has died, or was fenced. */
export function recordChange(change: GroupChange, at: Date): ChangeRecord {
  const none = { partition: null, epoch: null, member: null, session: null, from: null, reason: null };
  if (change.kind !== 'lease') {
    const { id, record } = change.session;
    const event = change.kind === 'gone' ? (record.leaving ? 'left' : 'died') : change.kind;
    return { ...none, at: at.toISOString(), event, member: record.name, session: id };
  }
  const { partition, after } = change;
  const base = { ...none, at: at.toISOString(), partition, epoch: after.epoch };
  if (after.record === 'unreadable') return { ...base, event: 'unreadable' };
  if (!after.record?.owner) return { ...base, event: 'released', from: after.record?.from ?? null };
  const { owner, name, from, reason } = after.record;
  return { ...base, event: 'acquired', member: name, session: owner, from, reason };
}

const VERBS = { claim: 'claimed by', handover: 'handed to', release: 'released to' } as const;

/** The same as one line for people. */
export function describeChange(change: ChangeRecord): string {
  const time = change.at.slice(11, 23);
  const member = escapeControl(change.member ?? '');
  const from = change.from === null ? '' : ` from ${escapeControl(change.from)}`;
  switch (change.event) {
    case 'acquired': {
      const verb = isVerb(change.reason) ? VERBS[change.reason] : 'moved to';
      return `${time}  p${change.partition} ${verb} ${member}${from}, epoch ${change.epoch}`;
    }
    case 'released':
      return `${time}  p${change.partition} has no owner${from && `, released by${from.slice(5)}`}, epoch ${change.epoch}`;
    case 'unreadable':
      return `${time}  p${change.partition} has a lease that cannot be read`;
    case 'died':
      return `${time}  ${member} died or was fenced`;
    case 'leaving':
      return `${time}  ${member} is leaving`;
    default:
      return `${time}  ${member} ${change.event}`;
  }
}

const isVerb = (reason: string | null): reason is keyof typeof VERBS => reason !== null && reason in VERBS;
