import { escapeControl, shellWord } from '../lib/text.js';
import { formatCount, formatDuration } from '../lib/units.js';
import { describeHoldUp, isTrouble, remedyOf } from '../protocol/hold-up.js';
import { type Finding, finding } from './finding.js';
import { describeLag } from './lag.js';
import { isEstimate, type LeaseStatus } from './lease-status.js';
import { describePositionFault } from './position-fault.js';

/** The limits beyond which a partition is unhealthy. */
export interface LeaseLimits {
  /** Maximum number of waiting messages in one partition; undefined: no limit. */
  maxLag: number | undefined;
  /** Maximum age of a waiting message, in milliseconds; undefined: no limit. */
  maxAgeMs?: number | undefined;
  /** True to accept paused partitions. Default false. */
  allowPaused?: boolean | undefined;
}

/**
 * All problems of one partition.
 *
 * @param heirless why no member can take over partitions; undefined if one can.
 */
export function* checkLease(
  lease: LeaseStatus,
  { maxLag, maxAgeMs, allowPaused }: LeaseLimits,
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
    case 'running':
    case 'retrying':
      if (lease.holdUp && isTrouble(lease.holdUp))
        yield finding(
          lease.holdUp.why === 'handler' ? 'stalled' : 'retrying',
          'warning',
          `p${partition} of ${owner} is held up${because(lease)}`,
          about,
        );
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
  if (maxLag !== undefined && lag !== null && lag <= maxLag && lease.isEstimate && lag > 0) {
    const message = `p${partition}: ${describeLag(lag, true)}, or far more: the stream has no room for a consumer that counts them; raise its max_consumers`;
    yield finding('lag', 'warning', message, about);
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

/** Describes what happens to the partitions of a member that is gone or silent. */
const takeover = (heirless: string | undefined, when = ''): string =>
  heirless ?? `the other members take over${when}`;
