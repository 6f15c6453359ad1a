import { countOf, formatBytes, formatCount, formatDuration } from '../../core/lib/units.js';
import { describeLimits, describeReplicas } from '../../text/stream-table.js';
import type { Model } from '../model/model.js';
import { UNKNOWN } from './format.js';
import { type Line, line, type Span, span } from './text.js';

/** From this width on, facts are in two columns. */
export const ROOMY_COLUMNS = 72;

const fact = (name: string, value: string): [Span, Span] => [
  span(`${name}  `.padStart(14), { dim: true }),
  span(value),
];

function deadLetterLine({ deadLetters }: Model): Line {
  if (deadLetters === null) return fact('dead letters', UNKNOWN);
  if (deadLetters === 'not-permitted') return fact('dead letters', 'not permitted to read');
  if (deadLetters.messages === 0) return fact('dead letters', 'none');
  const { messages, bytes, stream } = deadLetters;
  const [name, amount] = fact('dead letters', `${formatCount(messages)}, ${formatBytes(bytes)}`);
  return [name, { ...amount, color: 'yellow', bold: true }, span(` in ${stream}`, { dim: true })];
}

function lastDeadLetter({ deadLetters }: Model): Line[] {
  if (deadLetters === null || deadLetters === 'not-permitted' || !deadLetters.last) return [];
  const { last } = deadLetters;
  const text = `p${last.partition} #${last.sequence} of ${last.group} after ${countOf(last.attempts, 'attempt')}: ${last.error}`;
  return [fact('the last', text)];
}

/** Height of the panel at this width, including its title. Room is reserved for facts that are not known yet. */
export function streamHeight(model: Model, width: number): number {
  const { facts, last } = streamFacts(model, width);
  const isNarrow = width < ROOMY_COLUMNS;
  const lines = (isNarrow ? facts.length : Math.ceil(facts.length / 2)) + last.length;
  return Math.max(isNarrow ? 10 : 6, lines + 1);
}

/**
 * The stream's state, limits and replicas, the most important first. In a wide panel, the last dead letter is on its
 * own line, because it is too long for a column.
 */
export function streamFacts(model: Model, width: number): { facts: Line[]; last: Line[] } {
  const facts = model.stream?.facts;
  if (!facts) return { facts: [line('loading …', { dim: true })], last: [] };
  const amounts: Line[] = [
    fact('messages', `${formatCount(facts.messages)}, ${formatBytes(facts.bytes)}`),
    fact('sequences', `${facts.firstSequence} to ${facts.lastSequence}`),
  ];
  const settings: Line[] = [
    fact('subjects', facts.subjects.join(' ')),
    fact('replicas', describeReplicas(facts)),
    fact('consumers', `${facts.consumers}`),
    fact('limits', describeLimits(facts)),
    fact('storage', facts.storage),
    fact(
      'dedupe',
      facts.duplicateWindowMs === null ? 'none' : `within ${formatDuration(facts.duplicateWindowMs)}`,
    ),
  ];
  const dead = deadLetterLine(model);
  const last = lastDeadLetter(model);
  if (width < ROOMY_COLUMNS) return { facts: [...amounts, dead, ...last, ...settings], last: [] };
  const [subjects = [], replicated = [], ...others] = settings;
  return { facts: [...amounts, subjects, replicated, dead, ...others], last };
}
