import { escapeControl } from '../lib/text.js';
import { formatCount, formatDuration } from '../lib/units.js';
import { unevenLoads } from './balance.js';
import type { GroupStatus, LeaseStatus } from './group-status.js';
import { describeLag } from './lag.js';
import type { MemberStatus } from './members.js';
import { describePositionFault } from './position-fault.js';

/** A session with less than this share of its ttl left has missed renewals: a member renews several times in a third of it. */
const NEAR_EXPIRY = 1 / 3;

/** One problem. `warning`: the group works, but not as it should. */
export interface Finding {
  kind:
    | 'no-members'
    | 'unowned'
    | 'owner-lost'
    | 'owner-silent'
    | 'halted'
    | 'beyond-end'
    | 'other-stream'
    | 'retrying'
    | 'unreadable'
    | 'trimmed'
    | 'lag'
    | 'stalled'
    | 'standing'
    | 'imbalance'
    | 'near-expiry'
    | 'setting';
  severity: 'critical' | 'warning';
  partition: number | null;
  member: string | null;
  message: string;
}

/** What counts as unhealthy. */
export interface CheckLimits {
  /** Limit of messages that wait in one partition; undefined: no limit. */
  maxLag: number | undefined;
  /** Partitions without progress though messages wait, and for how long, milliseconds: see `readStalled`. */
  stalled: ReadonlyMap<number, number>;
}

/** All problems of a group at one moment; empty if it is healthy. */
export function checkGroup({ leases, members }: GroupStatus, limits: CheckLimits): Finding[] {
  const findings: Finding[] = [];
  if (members.length === 0) {
    findings.push(finding('no-members', 'critical', 'the group has no members'));
  }
  for (const lease of leases) findings.push(...checkLease(lease, limits));
  for (const member of members) findings.push(...checkMember(member), ...checkStanding(member));
  const imbalance = findImbalance(leases, members);
  if (imbalance) findings.push(imbalance);
  return findings;
}

/** A setting of the stream or bucket that loses messages, or may lose them. */
interface Concern {
  severity: 'refused' | 'warning';
  uses: readonly string[];
  message: string;
}

/** The settings that members refuse, because they lose messages or entries of the group. */
export const checkSettings = (concerns: readonly Concern[]): Finding[] =>
  concerns.filter(isRefused).map(({ message }) => finding('setting', 'critical', message));

/** Notes about settings, which do not make a group unhealthy. */
export const settingNotes = (concerns: readonly Concern[]): string[] =>
  concerns.filter((each) => !isRefused(each)).map(({ message }) => message);

const isRefused = ({ severity, uses }: Concern): boolean => severity === 'refused' && uses.includes('handle');

function finding(
  kind: Finding['kind'],
  severity: Finding['severity'],
  message: string,
  about: { partition?: number; member?: string } = {},
): Finding {
  return { kind, severity, partition: about.partition ?? null, member: about.member ?? null, message };
}

function* checkLease(lease: LeaseStatus, { maxLag, stalled }: CheckLimits): Iterable<Finding> {
  const { partition, lag, positionFault: fault } = lease;
  const owner = escapeControl(lease.owner?.name ?? '');
  const about = { partition, ...(lease.owner && { member: lease.owner.name }) };
  switch (lease.state) {
    case 'unowned':
      yield finding('unowned', 'critical', `p${partition} has no owner`, about);
      break;
    case 'orphaned':
    case 'expired':
    case 'unreachable':
      yield finding('owner-lost', 'critical', `p${partition}: its owner ${owner} is ${lease.state}`, about);
      break;
    case 'silent':
      yield finding('owner-silent', 'warning', `p${partition}: its owner ${owner} does not answer`, about);
      break;
    case 'halted':
      if (fault === null)
        yield finding(
          'halted',
          'critical',
          `p${partition} is halted at ${owner}: a message failed for good, or its position cannot be read`,
          about,
        );
      break;
    case 'waiting':
      if (lease.state === 'waiting' && fault === null)
        yield finding(
          'retrying',
          'warning',
          `p${partition}: its owner ${owner} could not start it, and retries`,
          about,
        );
      break;
    case 'unreadable':
      yield finding(
        'unreadable',
        'critical',
        `p${partition}: its lease cannot be read: "leases release ${partition} --force" lets a broken one go`,
        about,
      );
      break;
    default:
  }
  if (fault !== null) {
    const message = `p${partition}: ${describePositionFault(fault, lease.position)}`;
    const isMisfit = fault === 'beyond-end' || fault === 'other-stream';
    yield finding(isMisfit ? fault : 'unreadable', 'critical', message, about);
  }
  if (lease.overrideUnreadable) {
    const message = `p${partition}: its override (pin, pause) cannot be read: "leases resume" and "leases pin" overwrite it`;
    yield finding('unreadable', 'warning', message, about);
  }
  if (lease.trimmed > 0) {
    const number = lease.trimmed === 1 ? 'a message' : `at most ${formatCount(lease.trimmed)} messages`;
    const message = `p${partition}: the stream dropped ${number} before they were handled; "leases seek ${partition} --to +0" takes note of it`;
    yield finding('trimmed', 'critical', message, about);
  }
  if (maxLag !== undefined && lag !== null && lag > maxLag) {
    const message = `p${partition}: ${describeLag(lag)}, more than ${formatCount(maxLag)}`;
    yield finding('lag', 'critical', message, about);
  }
  const stalledForMs = stalled.get(partition);
  if (stalledForMs !== undefined) {
    const message = `p${partition}: ${describeLag(lag ?? 0)}, and no progress for ${formatDuration(stalledForMs)}`;
    yield finding('stalled', 'critical', message, about);
  }
}

function* checkMember({ name, ttlMs, expiresInMs, leaving }: MemberStatus): Iterable<Finding> {
  if (leaving || expiresInMs >= ttlMs * NEAR_EXPIRY) return;
  const when = expiresInMs < 0 ? 'has expired' : `expires in ${formatDuration(expiresInMs)}`;
  const message = `${escapeControl(name)} has not renewed: its session ${when}`;
  yield finding('near-expiry', 'warning', message, { member: name });
}

/** What a member reports as standing. */
function* checkStanding({ name, stats }: MemberStatus): Iterable<Finding> {
  for (const { partition, reason, forMs } of stats?.standing ?? []) {
    const what = partition === null ? escapeControl(name) : `p${partition}`;
    const message = `${what} has made no progress for ${formatDuration(forMs)}: ${escapeControl(reason)}`;
    yield finding('standing', 'critical', message, {
      member: name,
      ...(partition !== null && { partition }),
    });
  }
}

/** Uneven loads of the members that are not leaving. */
function findImbalance(
  leases: readonly LeaseStatus[],
  members: readonly MemberStatus[],
): Finding | undefined {
  const loads = new Map(members.filter(({ leaving }) => !leaving).map(({ session }) => [session, 0]));
  for (const { owner } of leases) {
    const load = owner ? loads.get(owner.session) : undefined;
    if (owner && load !== undefined) loads.set(owner.session, load + 1);
  }
  const uneven = unevenLoads([...loads.values()], leases);
  if (!uneven) return undefined;
  const message = `one member has ${uneven.most} partitions, another ${uneven.least}`;
  return finding('imbalance', 'warning', message);
}
