import { decode, type Guard, isCount, orNull } from '../lib/json.js';
import { escapeControl, truncate, withoutStop } from '../lib/text.js';
import { formatDuration } from '../lib/units.js';

/** Maximum length of a reason, in characters. A member's answer can contain hundreds of reasons. */
const REASON_LENGTH = 200;

/** After this time, in milliseconds, a held-up partition needs attention. A short retry is routine. */
export const LONG_HOLD_UP_MS = 10_000;

const CAUSES = ['retrying', 'storing', 'halted', 'starting', 'handler', 'stuck'] as const;

/**
 * Why a partition is held up. `retrying`: an attempt failed, and another follows. `storing`: a dead letter could not be
 * stored yet. `halted`: nothing is handled until an operator acts. `starting`: the partition could not be started or
 * read yet. `handler`: a handler is slow. `stuck`: no message arrives, or the bucket does not answer.
 */
export interface HoldUp {
  readonly why: (typeof CAUSES)[number];
  /** The message that is held up, or the first of several; null if no message is the cause. */
  readonly sequence: number | null;
  readonly key: string | null;
  /** `attempt`: the number of the last failed attempt; null if none failed. `maxAttempts`: null if there is no limit. */
  readonly attempt: number | null;
  readonly maxAttempts: number | null;
  /** Time until the next attempt, in milliseconds; null if it is running or not planned. */
  readonly nextInMs: number | null;
  /** At most 200 characters, without a full stop. */
  readonly reason: string;
  /** How long the partition has been held up, in milliseconds. */
  readonly forMs: number;
  /** Number of other messages of the partition that are held up. */
  readonly others: number;
}

/** Creates a hold-up. Missing fields are unknown or do not apply. */
export const holdUp = (
  known: Pick<HoldUp, 'why' | 'reason' | 'forMs'> & { [K in keyof HoldUp]?: HoldUp[K] | undefined },
): HoldUp => ({
  why: known.why,
  sequence: known.sequence ?? null,
  key: known.key ?? null,
  attempt: known.attempt ?? null,
  maxAttempts: known.maxAttempts ?? null,
  nextInMs: known.nextInMs == null ? null : Math.max(0, Math.round(known.nextInMs)),
  reason: truncate(withoutStop(known.reason), REASON_LENGTH),
  forMs: Math.max(0, Math.round(known.forMs)),
  others: known.others ?? 0,
});

const isText = (value: unknown): value is string => typeof value === 'string';
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** True for a valid hold-up from the answer of a member. */
export const isHoldUp: Guard<HoldUp> = (value): value is HoldUp =>
  decode<HoldUp>(value, {
    why: (why): why is HoldUp['why'] => CAUSES.some((each) => each === why),
    sequence: orNull(isCount),
    key: orNull(isText),
    attempt: orNull(isCount),
    maxAttempts: orNull(isCount),
    nextInMs: orNull(isAmount),
    reason: isText,
    forMs: isAmount,
    others: isCount,
  }) !== undefined;

/** After this time, in milliseconds, a running handler needs attention. A slow handler may be normal. */
export const SLOW_HANDLER_MS = 60_000;

/** True if an operator should look at a partition. */
export const isTrouble = (held: HoldUp): boolean =>
  held.why === 'handler' ? held.forMs > SLOW_HANDLER_MS : isLong(held);

/** True if a partition needs an operator, or has been held up for a long time. */
export const isLong = ({ why, forMs }: HoldUp): boolean => why === 'halted' || forMs >= LONG_HOLD_UP_MS;

const attempts = ({ attempt, maxAttempts }: HoldUp): string =>
  maxAttempts === null ? `${attempt}` : `${attempt}/${maxAttempts}`;

const next = ({ nextInMs }: HoldUp): string => (nextInMs === null ? 'now' : `in ${formatDuration(nextInMs)}`);

/** A hold-up as a short state, such as `retrying 7/100 in 12 s`; undefined if the partition's state says enough. */
export function holdUpState(held: HoldUp): string | undefined {
  if (held.why === 'retrying') return `retrying ${attempts(held)} ${next(held)}`;
  return held.why === 'storing' ? `retrying a dead letter ${next(held)}` : undefined;
}

/** A hold-up in one line: `message 95887 (key user-7) failed attempt 7/100, next in 12 s, for 3 min: connection refused`. */
export function describeHoldUp(held: HoldUp): string {
  const key = held.key === null ? '' : ` (key ${escapeControl(truncate(held.key, 40))})`;
  const message = `message ${held.sequence}${key}`;
  const time = `for ${formatDuration(held.forMs)}`;
  const others = held.others > 0 ? `, and ${held.others} more` : '';
  const reason = escapeControl(held.reason);
  switch (held.why) {
    case 'retrying':
      return `${message}${others} failed attempt ${attempts(held)}, next ${next(held)}, ${time}: ${reason}`;
    case 'storing':
      return `${message}${others} could not be stored as a dead letter, next attempt ${next(held)}, ${time}: ${reason}`;
    case 'halted':
      return held.sequence === null
        ? `halted ${time}: ${reason}`
        : `halted ${time} at ${message}, attempt ${attempts(held)}: ${reason}`;
    case 'starting':
      return `could not be started, next attempt ${next(held)}, ${time}: ${reason}`;
    case 'handler':
    case 'stuck':
      return `no progress ${time}: ${reason}`;
  }
}

/** The commands with which an operator can end a hold-up. */
export function remedyOf(partition: number, { why, sequence }: HoldUp): string {
  // A retry cannot remove the cause, such as a limit of the server.
  if (why === 'starting')
    return `the member tries again by itself, or at once after "leases retry ${partition}"`;
  const isSlow = why === 'handler' || why === 'stuck';
  const first = isSlow
    ? `"leases release ${partition}" moves it to another member`
    : `"leases retry ${partition}" tries it now`;
  return sequence === null || why === 'stuck'
    ? first
    : `${first}, "leases skip ${partition} --message ${sequence}" gives the message up`;
}
