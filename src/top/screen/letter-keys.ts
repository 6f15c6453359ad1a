import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import type { Original } from '../../core/protocol/dead-letter-original.js';
import { closes, stepIn } from './list-steps.js';
import type { Outcome, Situation } from './outcome.js';
import { ask } from './questions.js';
import type { LetterList } from './state.js';

/** Lists the dead letters of the stream. */
export const listLetters = ({ ui }: Situation): Outcome => ({
  ui: { ...ui, help: false, problems: false, letters: { rows: null, at: 0, shown: null } },
  command: { type: 'list-letters' },
});

/** The list of dead letters with its rows. The cursor stays on its letter. If the letter is gone, the cursor stays on its row. */
export function lettersRead(before: LetterList, rows: readonly FoundLetter[]): LetterList {
  const chosen = before.rows?.[before.at]?.sequence;
  const found = rows.findIndex(({ sequence }) => sequence === chosen);
  const at = found >= 0 ? found : Math.max(0, Math.min(before.at, rows.length - 1));
  return { rows, at, shown: null };
}

/** The list with the message of the shown letter. If another letter is shown by now, the list is unchanged. */
export function letterRead(
  list: LetterList,
  letter: FoundLetter,
  original: Original | undefined,
): LetterList {
  return list.shown?.letter.sequence === letter.sequence ? { ...list, shown: { letter, original } } : list;
}

function show({ ui }: Situation, list: LetterList, letter: FoundLetter): Outcome {
  const letters = { ...list, shown: { letter, original: null } };
  return { ui: { ...ui, letters }, command: { type: 'show-letter', letter } };
}

/** The effect of a key in the list of dead letters. */
export function pressInLetters(situation: Situation, list: LetterList, key: string): Outcome {
  const { ui, page } = situation;
  const { rows, at, shown } = list;
  const to = stepIn(key, { at, length: rows?.length ?? 0, page });
  if (to !== undefined) {
    const next = rows?.[to];
    const moved = { ...list, at: to };
    return shown && next ? show(situation, moved, next) : { ui: { ...ui, letters: moved } };
  }
  const chosen = rows?.[at];
  if (key === 'enter' && chosen) return show(situation, list, chosen);
  if (key === 'L') return listLetters(situation);
  if (!ui.readonly && chosen && key === 'x') return askToDrop(situation, chosen);
  if (!ui.readonly && chosen && key === 'b') return askToPutBack(situation, chosen);
  if (!closes(key)) return { ui };
  return { ui: { ...ui, letters: shown ? { ...list, shown: null } : null } };
}

function askToDrop(situation: Situation, letter: FoundLetter): Outcome {
  const consequences = [
    `The dead letter is deleted for good. Message ${letter.from} stays in the stream, and is not handled again.`,
  ];
  return ask(situation, `Drop dead letter ${letter.sequence}?`, consequences, {
    type: 'drop-letter',
    letter,
  });
}

function askToPutBack(situation: Situation, letter: FoundLetter): Outcome {
  const consequences = [
    `The message of the dead letter is published again, after all messages of p${letter.partition}. Every group of the stream receives it.`,
  ];
  return ask(situation, `Put dead letter ${letter.sequence} back?`, consequences, {
    type: 'put-back',
    letter,
  });
}
