import { nameOf } from '../../core/admin/group-entries.js';
import type { LeaseStatus } from '../../core/admin/lease-status.js';
import { escapeControl } from '../../core/lib/text.js';
import type { HoldUp } from '../../core/protocol/hold-up.js';
import type { Outcome, Situation } from './outcome.js';
import { ask, SELECT_PARTITION, selectedPartition, tell } from './questions.js';

/** The message that holds a partition up: `message 95887 (key user-7)`. */
function messageOf({ holdUp }: LeaseStatus): string {
  if (!holdUp) return '';
  const key = holdUp.key === null ? '' : ` (key ${escapeControl(holdUp.key)})`;
  return `message ${holdUp.sequence}${key}`;
}

/** The message that can be given up, if any. */
const skippable = ({ why, sequence }: HoldUp): number | null => (why === 'stuck' ? null : sequence);

/** The keys that can end a hold-up that is not a failed attempt; undefined after a failed attempt. */
function keysInstead(held: HoldUp): string | undefined {
  if (held.why !== 'handler' && held.why !== 'stuck') return undefined;
  return `press r to release it to another member${skippable(held) === null ? '' : ', or S to skip its message'}`;
}

/** Asks for a confirmation of a retry of the message that holds up the selected partition. */
export function askToRetry(situation: Situation): Outcome {
  const row = selectedPartition(situation);
  if (!row) return tell(situation, SELECT_PARTITION, 'info', 'partitions');
  const { partition, holdUp } = row;
  if (!holdUp) return tell(situation, `Nothing holds p${partition} up.`, 'info');
  const instead = keysInstead(holdUp);
  if (instead) return tell(situation, `No attempt of p${partition} has failed: ${instead}.`, 'info');
  const owner = situation.model.group.liveOwner(partition);
  const who = owner ? nameOf(owner) : 'Its owner';
  const consequence =
    holdUp.why === 'halted'
      ? `${who} starts p${partition} again at its position; the message gets all its attempts again.`
      : `${who} ends the wait before the next attempt. No message is skipped.`;
  return ask(situation, `Try p${partition} again now?`, [consequence], { type: 'retry', partition });
}

const askToGiveUp =
  (deadLetter: boolean) =>
  (situation: Situation): Outcome => {
    const row = selectedPartition(situation);
    if (!row) return tell(situation, SELECT_PARTITION, 'info', 'partitions');
    const { partition, holdUp } = row;
    const sequence = holdUp && skippable(holdUp);
    if (!holdUp || sequence === null) {
      const remedy = holdUp ? `: ${keysInstead(holdUp) ?? 'press t to try again now'}` : '';
      return tell(situation, `No message holds p${partition} up${remedy}.`, 'info');
    }
    const question = deadLetter
      ? `Dead-letter ${messageOf(row)} of p${partition}?`
      : `Skip ${messageOf(row)} of p${partition}?`;
    const fate = deadLetter
      ? 'The message is stored as a dead letter, and is not tried again. A dead letter can be put back into the stream later.'
      : 'This group never handles the message, which stays in the stream. Press D to store it as a dead letter instead.';
    const consequences = [
      `${fate} The partition continues after this message.`,
      `Last error: ${escapeControl(holdUp.reason)}`,
    ];
    return ask(situation, question, consequences, { type: 'skip', partition, sequence, deadLetter });
  };

export const askToSkip = askToGiveUp(false);
export const askToDeadLetter = askToGiveUp(true);
