import { escapeControl } from '../lib/text.js';
import { countOf, formatDuration } from '../lib/units.js';
import { describeUncovered } from '../member/status-lines.js';
import { unevenLoads } from './balance.js';
import { checkLease, type LeaseLimits } from './check-lease.js';
import { type Finding, finding } from './finding.js';
import type { GroupStatus, ResizeStatus } from './group-status.js';
import { isLate, isMute, type MemberStatus, ownTrouble } from './members.js';
import { describeStall, type Stall } from './stalled.js';

/** The limits beyond which a group is unhealthy. */
export interface CheckLimits extends LeaseLimits {
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
  // A group that needs no members also needs no resize before its next member.
  if (status.resize && !status.idle && status.resize.forMs > LONG_RESIZE_MS)
    findings.push(checkResize(status, status.resize));
  if (status.uncovered)
    findings.push(
      finding('uncovered', 'critical', `${describeUncovered(status.uncovered)}. ${UNCOVERED_ADVICE}`),
    );
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

const UNCOVERED_ADVICE =
  'Read them with a group that has a --key, keep them in another stream, or delete them with "nats stream purge --subject"';

const canTakeOver = ({ state }: MemberStatus): boolean => HEIRS.has(state);

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
  if (idle || members.some(canTakeOver)) return undefined;
  const blocked = members.filter(({ state }) => state === 'blocked');
  if (blocked.length === 0) return `no member is left to take over: ${START}`;
  const [reason = 'the members cannot renew their sessions'] = blocked.flatMap(
    (each) => ownTrouble(each) ?? [],
  );
  return `no member can take over: ${escapeControl(reason)}`;
}

/** A resize that takes longer than this, in milliseconds, is reported as a problem. */
const LONG_RESIZE_MS = 60_000;

/** A resize of a group without members that could carry it out. */
const describeWaitingResize = ({ to }: ResizeStatus): string =>
  `the resize to ${countOf(to, 'partition')} waits for a member, and is done when one joins: "natspoc consume"`;

/** A note about a resize that an idle group will do later. */
export const resizeNotes = ({ idle, resize }: Pick<GroupStatus, 'idle' | 'resize'>): string[] =>
  idle && resize ? [describeWaitingResize(resize)] : [];

function checkResize({ partitions, members }: GroupStatus, resize: ResizeStatus): Finding {
  const { to, forMs, closed } = resize;
  if (!members.some(canTakeOver)) return finding('resizing', 'critical', describeWaitingResize(resize));
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
