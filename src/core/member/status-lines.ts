import { messageOf } from '../lib/errors.js';
import { escapeControl } from '../lib/text.js';
import { countOf, formatCount, formatDuration } from '../lib/units.js';
import type { Uncovered } from '../ports/facts.js';
import type { Trimmed } from '../ports/index.js';
import type { Report } from '../protocol/events.js';
import type { FailedAttempt, MemberEventMap } from './member-events.js';

const by = (name: string | null): string => (name ? ` from ${escapeControl(name)}` : '');

const HOW = { claim: 'claimed', handover: 'acquired', release: 'acquired' } as const;

const LOST = {
  deadline: 'could not renew in time',
  fenced: 'this member was fenced',
  lost: 'another member took it',
  resized: 'the group was resized meanwhile',
  'went-back': 'the bucket no longer has the lease',
} as const;

/** A report that this member has got or given up a partition. */
export type Move = Extract<Report, { type: 'acquired' | 'handed-over' | 'released' | 'lost' }>;

const took = ({ tookMs }: { tookMs: number }): string => formatDuration(tookMs);

/**
 * One line about a move. `which` is the partition, or all partitions that moved in the same way. `at` is the epoch, `within` the duration.
 */
export function describeMove(move: Move, which: string, at = '', within = ''): string {
  switch (move.type) {
    case 'acquired':
      return move.again
        ? `resumed ${which}${at} in ${within}`
        : `${HOW[move.reason]} ${which}${by(move.from)}${at} in ${within}`;
    case 'handed-over':
      return `handed over ${which} to ${escapeControl(move.to)} in ${within}`;
    case 'released':
      return move.keptForMs === null
        ? `released ${which}`
        : `left ${which}, kept for this member for ${formatDuration(move.keptForMs)}`;
    case 'lost':
      return `lost ${which}: ${LOST[move.reason]}`;
  }
}

/** One line for people about an event of a member; `group` is the name of its group. */
export function describeReport(report: Report, group: string): string {
  switch (report.type) {
    case 'joined':
      // Other members log this member's name; the id distinguishes members of the same name.
      return `joined group ${group} as ${escapeControl(report.name)} (${report.id}), ${report.members} ${report.members === 1 ? 'member' : 'members'}`;
    case 'member-joined':
      return `${escapeControl(report.name)} joined the group`;
    case 'member-left':
      return `${escapeControl(report.name)} ${report.how === 'left' ? 'left the group' : 'is dead'}`;
    case 'suspected':
      return `${escapeControl(report.name)} ${report.why === 'silent' ? 'has not renewed' : 'is unreachable'}: fencing it`;
    case 'acquired':
      return describeMove(report, `p${report.partition}`, ` at epoch ${report.epoch}`, took(report));
    case 'handed-over':
      return describeMove(report, `p${report.partition}`, '', took(report));
    case 'released':
    case 'lost':
      return describeMove(report, `p${report.partition}`);
    case 'retrying':
      return `p${report.partition} starts again: ${report.message}`;
    case 'halted':
      return `halted p${report.partition}: ${escapeControl(report.message)}`;
    case 'paused':
      return `p${report.partition} is paused`;
    case 'unpaused':
      return `p${report.partition} was resumed`;
    case 'resizing':
      return `${escapeControl(report.by)} resizes the group from ${report.from} to ${report.to} partitions: all partitions are closed first`;
    case 'resize-aborted':
      return `the group keeps its ${report.partitions} partitions: the resize was aborted`;
    case 'resized':
      return `the group was resized from ${report.from} to ${report.to} partitions`;
    case 'expired':
      return 'could not renew in time: stopped handling';
    case 'resumed':
      return 'renewed: resumed handling';
    case 'fenced':
      return 'fenced by another member: joining again';
    case 'standing': {
      const forTime = formatDuration(report.forMs);
      const reason = escapeControl(report.reason);
      if (report.partition === null)
        return `warning: this member has handled nothing for ${forTime}: ${reason}`;
      if (report.why === 'handler') return `p${report.partition}: ${reason} (${forTime} without progress)`;
      return `warning: p${report.partition} has made no progress for ${forTime}: ${reason}`;
    }
    case 'blocked':
      return `warning: the event loop was blocked for ${formatDuration(report.forMs)} while message ${report.sequence} of p${report.partition} was handled; the member could not renew or commit`;
    case 'went-back':
      return 'warning: the bucket has lost entries, or was restored from an older copy: joining again with the remaining entries';
    case 'probing-denied':
      return 'warning: not permitted to probe other members (natspoc.<stream>.<group>.*.ping): a dead member is noticed only after its ttl';
    case 'disconnected':
      return describeBreak(report);
    case 'reconnected':
      return describeReturn(report);
    case 'unreadable':
      return `warning: cannot read the entry ${escapeControl(report.key)}; the entry is left unchanged`;
  }
}

/** One line about a connection that broke. */
export function describeBreak({ server, reason }: { server: string | null; reason: string | null }): string {
  const from = server === null ? 'NATS' : `NATS at ${escapeControl(server)}`;
  return `disconnected from ${from}${reason === null ? '' : ` (${escapeControl(reason)})`}: reconnecting`;
}

/** One line about a restored connection. */
export function describeReturn({ server, afterMs }: { server: string | null; afterMs: number }): string {
  const to = server === null ? 'NATS' : `NATS at ${escapeControl(server)}`;
  return `connected to ${to} again after ${formatDuration(afterMs)}`;
}

/** One line about a failed attempt. */
export function describeFailed({ partition, message, attempt, error, then }: FailedAttempt): string {
  const what = `p${partition} message ${message.sequence}, attempt ${attempt} failed (${then})`;
  return `${what}: ${escapeControl(messageOf(error))}`;
}

/** One line about messages that the stream dropped before they were handled. */
export function describeTrimmed({ partition, from, to, atMost }: { partition: number } & Trimmed): string {
  const range = from === to ? `sequence ${from}` : `sequences ${from} to ${to}`;
  const number = atMost === 1 ? 'at most 1 message' : `at most ${formatCount(atMost)} messages`;
  return `lost in p${partition}: ${number} of ${range}, dropped by the stream before they were handled`;
}

/** One line about messages that belong to no partition. */
export function describeUncovered({ messages, example }: Uncovered): string {
  const such = example === null ? '' : `, such as ${escapeControl(example)}`;
  const [belong, them] = messages === 1 ? ['belongs', 'it'] : ['belong', 'them'];
  return `${countOf(messages, 'message')} of the stream ${belong} to no partition${such}: no member will handle ${them}`;
}

/** One line about handlers that did not finish within the drain timeout. */
export function describeOverdue(
  { partition, sequences }: { partition: number; sequences: number[] },
  drainTimeoutMs: number,
): string {
  const within = `within ${formatDuration(drainTimeoutMs)}`;
  const [which, them] = sequences.length === 1 ? ['message', 'it'] : ['messages', 'them'];
  return `p${partition}: ${which} ${sequences.join(', ')} did not finish ${within}; the next owner handles ${them} again`;
}

/** One line about a partition whose owners have died. */
export function describeCautious({ partition, crashes, after }: MemberEventMap['cautious'][0]): string {
  return `p${partition}: ${crashes} members in a row have died or hung after message ${after}; handling one message at a time`;
}

/** One line about a partition that cannot be read at the moment. */
export function describeUnread({ partition, reason, retryMs }: MemberEventMap['unread'][0]): string {
  const why = escapeControl(reason);
  return `p${partition} cannot be read (next attempt in ${formatDuration(retryMs)}): ${why}`;
}

/** One line about a partition that moved without its last commit. */
export function describeUncommitted({ partition, after, upTo }: MemberEventMap['uncommitted'][0]): string {
  return `p${partition}: moved without its last commit; the next owner handles sequences ${after + 1} to ${upTo} again`;
}

/** One line about the first message without a key. */
export function describeKeyless({ partition, sequence }: MemberEventMap['keyless'][0]): string {
  return `message ${sequence} of p${partition} has no key: such messages are ordered by their subject; "--without-key dead-letter" stores them instead`;
}
