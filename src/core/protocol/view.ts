import { beginAnew, holdClaims } from './begin-anew.js';
import type { OverrideEntry, SessionEntry, ViewEntry } from './events.js';
import { applyLayout, leaseNow, noticeMissedLayout } from './known-layout.js';
import { noticeReservation } from './reservations.js';
import { ended, ownSessionSeen, settle } from './session.js';
import { markGone, type Peer, report, type State } from './state.js';

/** Replaces the view with a snapshot of the watch. Newer entries stay, for example entries that we wrote. */
export function applySnapshot(state: State, entries: readonly ViewEntry[]): void {
  const newest = entries.reduce((max, entry) => Math.max(max, entry.revision), 0);
  const sessions = new Set<string>();
  const leases = new Set<number>();
  const overrides = new Set<number>();
  for (const entry of entries) {
    if (entry.kind === 'session') sessions.add(entry.id);
    else if (entry.kind !== 'layout') (entry.kind === 'lease' ? leases : overrides).add(entry.partition);
  }
  const { id, revision } = state.session;
  if (id !== null && revision > 0 && !sessions.has(id) && revision <= newest) {
    beginAnew(state);
    return;
  }
  // A missing entry that is not newer than the snapshot was removed without a deletion marker.
  const isAbsent = (entry: { revision: number }, isThere: boolean): boolean =>
    !isThere && entry.revision <= newest;
  // A member whose session is missing may still be alive. It is observed until it has certainly ended.
  for (const peer of state.peers.values()) {
    if (sessions.has(peer.id)) state.absent.delete(peer.id);
    else if (isAbsent(peer, false)) state.absent.add(peer.id);
  }
  for (const [partition, lease] of [...state.leases]) {
    if (!isAbsent(lease, leases.has(partition))) continue;
    // Leases are never deleted, so the bucket has lost this one.
    holdClaims(state);
    // A live owner continues until it notices that its lease is missing. So this member does not claim the partition.
    const owner = lease.record === 'unreadable' ? null : lease.record?.owner;
    if (!owner || !state.peers.has(owner)) forgetLease(state, partition);
  }
  for (const [partition, { revision }] of [...state.overrides]) {
    if (!overrides.has(partition) && revision <= newest) state.overrides.delete(partition);
  }
  // The layout is applied first, because the meaning of the leases depends on it.
  for (const entry of entries) if (entry.kind === 'layout') applyLayout(state, entry);
  applyEntries(state, entries);
  state.viewReady = true;
  state.dirty = true;
}

/** Applies changes in the order of their revisions. Entries older than the known ones are ignored. */
export function applyEntries(state: State, entries: readonly ViewEntry[]): void {
  for (const entry of entries) {
    if (entry.kind === 'session') applySession(state, entry);
    else if (entry.kind === 'lease') applyLease(state, entry);
    else if (entry.kind === 'override') applyOverride(state, entry);
    else applyLayout(state, entry);
    state.watchRevision = Math.max(state.watchRevision, entry.revision);
  }
  for (const [id, revision] of state.buried) {
    if (revision <= state.watchRevision) state.buried.delete(id);
  }
}

/** Applies a session entry if it is newer than the known entry. */
export function applySession(state: State, entry: SessionEntry): void {
  const { id, revision, record } = entry;
  if (record === null) markGone(state, id);
  if (id === state.session.id) {
    if (record === null) {
      if (revision > state.session.revision) ended(state, 'session');
    } else ownSessionSeen(state, entry);
    return;
  }
  if ((state.buried.get(id) ?? 0) >= revision) return;
  const known = state.peers.get(id);
  if (known && known.revision >= revision) return;
  if (record === null) {
    if (known) bury(state, known, revision);
    return;
  }
  if (record === 'unreadable' && known?.record !== 'unreadable') {
    report(state, { type: 'unreadable', key: `session.${id}` });
  }
  const peer: Peer = known ?? newPeer(state, id);
  const wasLeaving = isLeaving(peer);
  peer.revision = revision;
  peer.record = record;
  state.absent.delete(id);
  if (!known) {
    state.peers.set(id, peer);
    state.ring = null;
    if (state.viewReady && record !== 'unreadable') {
      report(state, { type: 'member-joined', id, name: record.name });
      settle(state);
    }
  }
  if (!known || isLeaving(peer) !== wasLeaving) state.dirty = true;
}

function newPeer(state: State, id: string): Peer {
  return {
    id,
    revision: 0,
    record: 'unreadable',
    probeAt: state.now,
    probing: false,
    unanswered: false,
    misses: 0,
    missingSince: 0,
    proof: null,
    lookAt: state.now,
    looking: false,
    fencing: false,
    fenceAt: Number.NEGATIVE_INFINITY,
    suspectedAt: -1,
  };
}

const isLeaving = (peer: Peer): boolean => peer.record !== 'unreadable' && peer.record.leaving === true;

/**
 * Forgets a member whose session has ended. Its leases then have no living owner. If the session was not marked as leaving, the member has
 * died.
 */
export function bury(state: State, peer: Peer, revision: number): void {
  state.peers.delete(peer.id);
  state.absent.delete(peer.id);
  markGone(state, peer.id);
  state.ring = null;
  if (revision > state.watchRevision) state.buried.set(peer.id, revision);
  const name = peer.record === 'unreadable' ? peer.id : peer.record.name;
  report(state, { type: 'member-left', id: peer.id, name, how: isLeaving(peer) ? 'left' : 'dead' });
  state.dirty = true;
}

/** Applies an operator's override if it is newer than the known override. */
export function applyOverride(state: State, entry: OverrideEntry): void {
  const { partition, revision, record } = entry;
  const known = state.overrides.get(partition);
  if (known && known.revision >= revision) return;
  if (record === 'unreadable' && known?.record !== 'unreadable') {
    report(state, { type: 'unreadable', key: `override.${partition}` });
  }
  state.overrides.set(partition, { revision, record });
  state.dirty = true;
}

/** True if this member owns the partition or has handed it over. It then has to restore the lease if the bucket loses it. */
export function answersFor(state: State, partition: number): boolean {
  const record = leaseNow(state, partition)?.record;
  if (!record || record === 'unreadable' || record.closed) return false;
  // In a claim, `from` is the dead owner, which handed nothing over.
  return record.owner === state.session.id || (record.reason !== 'claim' && record.from === state.name);
}

/**
 * Forgets a lease that the bucket has lost. If this member is responsible for the lease, it will write the lease again. It also restores
 * the position, which may be lost too.
 */
export function forgetLease(state: State, partition: number): void {
  const record = state.leases.get(partition)?.record;
  if (record && record !== 'unreadable' && answersFor(state, partition)) {
    state.lost.set(partition, record);
    state.out.push({ type: 'restore-position', partition });
  }
  state.leases.delete(partition);
  state.reserved.delete(partition);
  state.dirty = true;
}

/** Applies a lease entry if it is newer than the known entry. */
export function applyLease(state: State, entry: Extract<ViewEntry, { kind: 'lease' }>): void {
  const { partition, revision, record } = entry;
  const known = state.leases.get(partition);
  if (known && known.revision >= revision) return;
  if (record === 'unreadable' && known?.record !== 'unreadable') {
    report(state, { type: 'unreadable', key: `lease.${partition}` });
  }
  state.leases.set(partition, { revision, record });
  if (revision >= (state.receded.get(partition) ?? 0)) state.receded.delete(partition);
  noticeReservation(state, partition, record);
  noticeMissedLayout(state, record);
  const write = state.writes.get(partition);
  if (write && write.retryAt !== Number.POSITIVE_INFINITY && revision > write.expected) {
    state.writes.delete(partition);
  }
  state.dirty = true;
}
