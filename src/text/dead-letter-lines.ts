import { SETTINGS } from '../core/config/settings.js';
import { escapeControl, shellWord } from '../core/lib/text.js';
import { countOf, formatBytes } from '../core/lib/units.js';
import { textOf } from '../core/lib/utf8.js';
import type { DeadLetterFacts } from '../core/ports/facts.js';
import type { FoundLetter } from '../core/protocol/dead-letter.js';
import type { Original } from '../core/protocol/dead-letter-original.js';
import { payloadJson } from './json.js';
import { formatPairs } from './table.js';
import { timeOfDay } from './time-of-day.js';

/**
 * A dead letter for `--json`. As in all outputs, `sequence` is that of the message in its own stream. `letter` is the sequence of the dead
 * letter.
 */
export function letterJson({
  data: _,
  sequence: letter,
  from: sequence,
  time: at,
  ...rest
}: FoundLetter): object {
  return { letter, sequence, at, ...rest };
}

/** One dead letter as a line. */
export function describeLetter(letter: FoundLetter): string {
  const { sequence, partition, from, key, group, attempts, error, time } = letter;
  const about = `p${partition} #${from}${key === null ? '' : ` ${escapeControl(key)}`}`;
  return `${sequence}  ${whenGivenUp(time)}  ${about}  ${escapeControl(group)}, ${countOf(attempts, 'attempt')}: ${escapeControl(error)}`;
}

/** A dead letter in full, with the original message; undefined if a part of that message was deleted. */
export function formatLetter(letter: FoundLetter, original: Original | undefined): string[] {
  const { sequence, partition, from, key, group, attempts, error, time, subject } = letter;
  const lines = formatPairs([
    ['Dead letter', String(sequence)],
    ['Group', escapeControl(group)],
    ['Given up', whenGivenUp(time)],
    ['Attempts', String(attempts)],
    ['Error', escapeControl(error)],
    ['Sequence', String(from)],
    ['Partition', `p${partition}`],
    ['Key', key === null ? '-' : escapeControl(key)],
    ['Subject', subject === '' ? '-' : escapeControl(subject)],
    ['Size', original ? formatBytes(original.data.length) : 'a part of the message is gone'],
    ...Object.entries(original?.headers ?? {}).map(([name, value]): [string, string] => [
      escapeControl(name),
      escapeControl(value),
    ]),
  ]);
  if (!original) return lines;
  const { data } = original;
  const body = textOf(data) ?? `(not text, base64) ${Buffer.from(data).toString('base64')}`;
  return [...lines, '', ...body.split('\n').map(escapeControl)];
}

/** A dead letter in full, for `--json`. */
export const fullLetterJson = (letter: FoundLetter, original: Original | undefined): object => ({
  ...letterJson(letter),
  ...(original && { headers: original.headers, ...payloadJson(original.data) }),
});

/** The dead letters of a stream as text: `12 messages in EVENTS_dead, the last 04:01:02 in group billing: timed out`. */
export function describeDeadLetters(facts: DeadLetterFacts | null): string {
  if (facts === null) return 'not permitted to read';
  const { messages, stream, last } = facts;
  if (messages === 0) return 'none';
  const newest = last
    ? `, the last ${whenGivenUp(last.at)} in group ${escapeControl(last.group)}: ${escapeControl(last.error)}`
    : '';
  return `${countOf(messages, 'message')} in ${escapeControl(stream)}${newest}`;
}

/** The notes of `leases check` and `groups` about a stream's dead letters. */
export const deadLetterNotes = (facts: DeadLetterFacts | null): string[] =>
  facts && facts.messages > 0 ? [`dead letters: ${describeDeadLetters(facts)}; ${howToList(facts)}`] : [];

/** The command that lists the dead letters of the group that stored the last letter. Other groups are not known here. */
function howToList({ messages, last }: DeadLetterFacts): string {
  // Any client can write a letter, so the name of the group can be invalid.
  if (!last || SETTINGS.group.parse(last.group) === undefined) return '"natspoc stream dead" lists them';
  const those = messages === 1 ? 'it' : 'those of this group';
  return `"natspoc stream dead --group ${shellWord(last.group)}" lists ${those}`;
}

/** The time of a letter. Any client can write a letter, so the time can be any text. */
export function whenGivenUp(at: string): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? escapeControl(at) : timeOfDay(ms);
}
