import type { StreamBounds, Trimmed } from '../../ports/index.js';
import { type Jump, type LossSigns, skippedIn } from './loss-signs.js';

/** What is known about the messages of a partition when the state of the stream has been read. */
export interface LossFacts {
  /** The signs that are investigated. */
  signs: LossSigns;
  /** Jumps that were noticed after the state was requested. The state can already show the loss that caused them. */
  newJumps: readonly Jump[];
  bounds: StreamBounds;
  /** The last received sequence. */
  received: number;
  /** Up to this sequence no message is missing, or the loss was reported. */
  settledTo: number;
  /** Up to this sequence the stream dropped no message unread, or the loss was reported. At most `settledTo`. */
  soundTo: number;
  /** Upper bound on the number of messages that waited. */
  mostWaiting: number;
  /** The number of lost messages in `signs.fell` that the server has just counted. */
  fellByCount: number;
  /** How many more messages may be lost than `signs.fell` shows. */
  hidden: number;
  /** Upper bound on the number of messages that waited before the server counted since the previous check; 0 if it has not counted. */
  waited: number;
  /** True if as many messages have waited as the stream keeps for one subject, or more. */
  isFull: boolean;
}

/** Returns the loss that the facts show; undefined if they show none. */
export function judgeLoss(facts: LossFacts): Trimmed | undefined {
  const found = find(facts);
  return found && { ...found, atMost: Math.min(found.atMost, found.to - found.from + 1) };
}

function find(facts: LossFacts): Trimmed | undefined {
  const {
    signs,
    newJumps,
    bounds,
    received,
    settledTo,
    soundTo,
    mostWaiting,
    fellByCount,
    hidden,
    waited,
    isFull,
  } = facts;
  const { jumps, fell } = signs;
  const passed = skippedIn(jumps);
  const { first, last, missing } = bounds;
  const next = Math.max(received, settledTo) + 1;
  // A lost message can be part of both counts, so the counts are not added.
  const before = Math.max(passed, fell);
  const from = before > 0 ? settledTo + 1 : next;
  const most = Math.max(mostWaiting, waited);
  if (most > 0 && first > next) {
    // The latest count may include the messages that were lost at the beginning of the stream, or may have come after their loss.
    const others = Math.max(passed, fell - fellByCount);
    const atMost = Math.max(before, others + Math.min(first - next, most));
    return { from, to: first - 1, atMost };
  }
  const jumped = jumpOver(facts, jumps) ?? jumpOver(facts, newJumps);
  if (jumped && fell === 0) return jumped;
  // The messages that disappeared can have been stored after the jump.
  if (jumped) return { ...jumped, to: Math.max(jumped.to, last), atMost: jumped.atMost + fell + hidden };
  const gaps = Math.max(0, first - settledTo - 1) + missing;
  if (isFull && passed > 0 && gaps > 0) return { from, to: received, atMost: Math.min(passed, gaps) };
  // The lost messages were stored after the last sequence at which the stream was sound. Any later sequence may be theirs.
  if (fell > 0 && (first > soundTo + 1 || missing > 0))
    return { from: soundTo + 1, to: Math.max(soundTo + 1, last), atMost: fell + hidden };
  return undefined;
}

/**
 * Returns the loss if the stream begins within one of the jumps or after a long jump; otherwise undefined. The jumps before that jump
 * count as lost, too. Messages outside the jumps were received before the stream dropped them.
 */
function jumpOver(
  { bounds: { first, missing }, settledTo, received }: LossFacts,
  jumps: readonly Jump[],
): Trimmed | undefined {
  const at = jumps.findLastIndex(
    ({ from, to, isLong }) => Math.max(from, settledTo) + 1 < first && (first <= to || isLong),
  );
  const jump = jumps[at];
  if (!jump) return undefined;
  const to = missing === 0 ? Math.min(first, jump.to) - 1 : received;
  return { from: settledTo + 1, to, atMost: skippedIn(jumps.slice(0, at + 1)) };
}
