import { escapeControl, shellWord } from '../lib/text.js';
import { formatCount, formatDuration } from '../lib/units.js';
import { describeUncovered } from '../member/status-lines.js';
import { describeHoldUp, isLong, remedyOf } from '../protocol/hold-up.js';
import { unevenLoads } from './balance.js';
import type { GroupStatus, ResizeStatus } from './group-status.js';
import { describeLag } from './lag.js';
import { isEstimate, type LeaseStatus } from './lease-status.js';
import { isLate, isMute, type MemberStatus, ownTrouble } from './members.js';
import { describePositionFault } from './position-fault.js';
import { describeStall, type Stall } from './stalled.js';

/** A problem of a group. Severity `warning`: the group works, but not as it should. */
export interface Finding {
  kind:
    | 'no-members'
    | 'unowned'
    | 'owner-lost'
    | 'owner-silent'
    | 'owner-blocked'
    | 'halted'
    | 'beyond-end'
    | 'other-stream'
    | 'retrying'
    | 'paused'
    | 'unreadable'
    | 'trimmed'
    | 'uncovered'
    | 'lag'
    | 'age'
    | 'stalled'
    | 'resizing'
    | 'imbalance'
    | 'near-expiry'
    | 'setting';
  severity: 'critical' | 'warning';
  partition: number | null;
  member: string | null;
  message: string;
}

/** The limits beyond which a group is unhealthy. */
export interface CheckLimits {
  /** Maximum number of waiting messages in one partition; undefined: no limit. */
  maxLag: number | undefined;
  /** Maximum age of a waiting message, in milliseconds; undefined: no limit. */
  maxAgeMs?: number | undefined;
  /** True to accept paused partitions. Default false. */
  allowPaused?: boolean | undefined;
  /** The stalls of the group; see `findStalls`. */
  stalled: readonly Stall[];
}

/** All problems of a group at one moment; empty if the group is healthy. */
export function checkGroup(status: GroupStatus, limits: CheckLimits): Finding[] {
  const { partitions, members } = status;
  const findings: Finding[] = [];
  if (members.length === 0 && !status.idle) {
    findings.push(finding('no-members', 'critical', `the group has no members; ${START}`));
  }
  if (status.resize && status.resize.forMs > LONG_RESIZE_MS)
    findings.push(checkResize(status, status.resize));
  if (status.uncovered) findings.push(finding('uncovered', 'critical', describeUncovered(status.uncovered)));
  // The trouble of a whole member is the reason for the findings about its partitions.
  const isOfMember = (stall: Stall): boolean => stall.partition === null;
  findings.push(...limits.stalled.filter(isOfMember).map(checkStall));
  const heirless = describeHeirless(status);
  for (const lease of partitions) findings.push(...checkLease(lease, limits, heirless));
  for (const member of members) findings.push(...checkMember(member));
  findings.push(...limits.stalled.filter((stall) => !isOfMember(stall)).map(checkStall));
  const age = status.unread?.oldestAgeMs ?? null;
  if (limits.maxAgeMs !== undefined && age !== null && age > limits.maxAgeMs) {
    const message = `a message of the stream has waited for ${formatDuration(age)}, longer than ${formatDuration(limits.maxAgeMs)}`;
    findings.push(finding('age', 'critical', message));
  }
  const uneven = unevenLoads(status);
  if (uneven) {
    const message = `one member has ${uneven.most} partitions, another ${uneven.least}`;
    findings.push(finding('imbalance', 'warning', message));
  }
  return findings;
}

/** States in which a member can take over partitions. */
const HEIRS = new Set<MemberStatus['state']>(['live', 'late']);

const START = '"natspoc consume" starts one';

/**
 * Why no member of a group can take over partitions, with advice; undefined if one can, or if the group is idle.
 *
 * If the bucket refuses renewals, a new member could not join either. So the reason is given instead of the advice to
 * start one.
 */
export function describeHeirless({
  members,
  idle,
}: Pick<GroupStatus, 'members' | 'idle'>): string | undefined {
  if (idle || members.some(({ state }) => HEIRS.has(state))) return undefined;
  const blocked = members.filter(({ state }) => state === 'blocked');
  if (blocked.length === 0) return `no member is left to take over: ${START}`;
  const [reason = 'the members cannot renew their sessions'] = blocked.flatMap(
    (each) => ownTrouble(each) ?? [],
  );
  return `no member can take over: ${escapeControl(reason)}`;
}

/** Describes what happens to the partitions of a member that is gone or silent. */
const takeover = (heirless: string | undefined, when = ''): string =>
  heirless ?? `the other members take over${when}`;

/** A resize that takes longer than this, in milliseconds, is reported as a problem. */
const LONG_RESIZE_MS = 60_000;

function checkResize({ partitions }: GroupStatus, { to, forMs, closed }: ResizeStatus): Finding {
  const open = partitions.find(({ state }) => state !== 'closed');
  const owner = open?.owner ? ` of ${escapeControl(open.owner)}` : '';
  const which = open ? `, p${open.partition}${owner} is not` : '';
  const message = `the resize to ${to} partitions has taken ${formatDuration(forMs)}: ${closed} of ${partitions.length} are closed${which}; "leases resize --abort" withdraws the resize`;
  return finding('resizing', 'critical', message);
}

/** A setting of the stream or bucket that loses messages or can lose them. */
interface Concern {
  severity: 'refused' | 'warning';
  uses: readonly string[];
  message: string;
}

/** A problem for each setting that members refuse. */
export const checkSettings = (concerns: readonly Concern[]): Finding[] =>
  concerns.filter(isRefused).map(({ message }) => finding('setting', 'critical', message));

/** Notes about settings that do not make a group unhealthy. */
export const settingNotes = (concerns: readonly Concern[]): string[] =>
  concerns.filter((each) => !isRefused(each)).map(({ message }) => message);

/** Notes about members that have renewed their sessions, but to which no request can be sent. */
export function muteNotes({ members }: Pick<GroupStatus, 'members'>): string[] {
  const mute = members.filter(isMute);
  if (mute.length === 0) return [];
  const names = mute.map(({ name }) => escapeControl(name)).join(', ');
  const renewed = formatDuration(Math.max(...mute.map(({ renewedAgoMs }) => renewedAgoMs)));
  const [fact, question] =
    mute.length === 1
      ? [`renewed ${renewed} ago, but no subscriber answers for it`, 'is it']
      : [`renewed at most ${renewed} ago, but no subscribers answer for them`, 'are they'];
  return [`${names} ${fact}: ${question} permitted to subscribe to natspoc.>, and in this account?`];
}

const isRefused = ({ severity, uses }: Concern): boolean => severity === 'refused' && uses.includes('handle');

function finding(
  kind: Finding['kind'],
  severity: Finding['severity'],
  message: string,
  about: { partition?: number; member?: string } = {},
): Finding {
  return { kind, severity, partition: about.partition ?? null, member: about.member ?? null, message };
}

function* checkLease(
  lease: LeaseStatus,
  { maxLag, maxAgeMs, allowPaused }: CheckLimits,
  heirless: string | undefined,
): Iterable<Finding> {
  const { partition, lag, positionFault: fault } = lease;
  const owner = escapeControl(lease.owner ?? '');
  const about = { partition, ...(lease.owner !== null && { member: lease.owner }) };
  switch (lease.state) {
    case 'unowned':
      yield finding('unowned', 'critical', `p${partition} has no owner`, about);
      break;
    case 'orphaned':
    case 'expired':
    case 'unreachable':
      yield finding(
        'owner-lost',
        'critical',
        `p${partition}: its owner ${owner} is ${lease.state}; ${takeover(heirless)}`,
        about,
      );
      break;
    case 'blocked':
      yield finding(
        'owner-blocked',
        'critical',
        `p${partition}: its owner ${owner} cannot renew its session`,
        about,
      );
      break;
    case 'silent':
      yield finding(
        'owner-silent',
        'warning',
        `p${partition}: its owner ${owner} does not answer; ${takeover(heirless, ` when its session expires, or at once after "leases release --owner ${escapeControl(shellWord(lease.owner ?? ''))} --force"`)}`,
        about,
      );
      break;
    case 'halted':
      if (fault === null)
        yield finding('halted', 'critical', `p${partition} of ${owner} is ${haltedText(lease)}`, about);
      break;
    case 'waiting':
      if (fault === null)
        yield finding(
          'retrying',
          'warning',
          `p${partition}: its owner ${owner} could not start the partition, and retries${because(lease)}`,
          about,
        );
      break;
    case 'retrying':
      if (lease.holdUp && isLong(lease.holdUp))
        yield finding('retrying', 'warning', `p${partition} of ${owner} is held up${because(lease)}`, about);
      break;
    case 'unreadable':
      yield finding(
        'unreadable',
        'critical',
        `p${partition}: its lease cannot be read; "leases release ${partition} --force" releases it`,
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
  if (lease.paused && !allowPaused) {
    const message = `p${partition} is ${describePause(lease)}; "leases resume ${partition}" continues it`;
    yield finding('paused', 'warning', message, about);
  }
  if (lease.overrideUnreadable) {
    const message = `p${partition}: its override (pin, pause) cannot be read; "leases resume" and "leases pin" overwrite it`;
    yield finding('unreadable', 'warning', message, about);
  }
  if (lease.trimmed > 0) {
    const lost =
      lease.trimmed === 1
        ? 'a message before it was handled'
        : `at most ${formatCount(lease.trimmed)} messages before they were handled`;
    const message = `p${partition}: the stream dropped ${lost}; "leases seek ${partition} --to +0" acknowledges the loss`;
    yield finding('trimmed', 'critical', message, about);
  }
  if (maxLag !== undefined && lag !== null && lag > maxLag) {
    const message = `p${partition}: ${describeLag(lag, isEstimate(lease))}, more than ${formatCount(maxLag)}`;
    yield finding('lag', 'critical', message, about);
  }
  if (maxAgeMs !== undefined && lease.oldestMs !== null && lease.oldestMs > maxAgeMs) {
    const message = `p${partition}: a message has waited for ${formatDuration(lease.oldestMs)}, longer than ${formatDuration(maxAgeMs)}`;
    yield finding('age', 'critical', message, about);
  }
}

/** A pause as text: `paused by ann@host for 3 min, 1,204 messages wait`. */
export function describePause(lease: LeaseStatus): string {
  const { pausedBy, pausedMs, lag } = lease;
  const by = pausedBy === null ? '' : ` by ${escapeControl(pausedBy)}`;
  const since = pausedMs === null ? '' : ` for ${formatDuration(pausedMs)}`;
  return `paused${by}${since}${lag === null ? '' : `, ${describeLag(lag, isEstimate(lease))}`}`;
}

/** Why a partition is held up, and the remedy: text that starts with a colon, or an empty text. */
const because = (lease: LeaseStatus): string => (lease.holdUp === null ? '' : `: ${holdUpText(lease)}`);

const holdUpText = ({ partition, holdUp }: LeaseStatus): string =>
  holdUp === null ? '' : `${describeHoldUp(holdUp)}; ${remedyOf(partition, holdUp)}`;

/** Why a partition is halted, and the remedy. */
const haltedText = (lease: LeaseStatus): string =>
  lease.holdUp?.why === 'halted' ? holdUpText(lease) : `halted${because(lease)}`;

function* checkMember(member: MemberStatus): Iterable<Finding> {
  const { name, state, expiresInMs } = member;
  const about = { member: name };
  if (state === 'unreadable') {
    yield finding('unreadable', 'warning', `${escapeControl(name)}: its session cannot be read`, about);
  } else if (state !== 'leaving' && isLate(member)) {
    const left = expiresInMs ?? 0;
    const when = left < 0 ? 'has expired' : `expires in ${formatDuration(left)}`;
    const message = `${escapeControl(name)} has missed a renewal; its session ${when}`;
    yield finding('near-expiry', 'warning', message, about);
  }
}

function checkStall(stall: Stall): Finding {
  const { partition, member } = stall;
  const about = { ...(partition !== null && { partition }), ...(member !== null && { member }) };
  return finding('stalled', 'critical', describeStall(stall), about);
}
