import { escapeControl } from '../../core/consume/output.js';
import { formatBytes, formatCount, formatDuration } from '../../core/units.js';
import type { Model } from '../model/model.js';
import { UNKNOWN } from './format.js';
import { type Line, line, type Span, span } from './text.js';

const fact = (name: string, value: string): [Span, Span] => [
  span(`${name}  `.padStart(14), { dim: true }),
  span(value),
];

/** How many dead letters there are, and the last of them. */
function deadLetterLines({ deadLetters }: Model): Line[] {
  if (deadLetters === null) return [fact('dead letters', UNKNOWN)];
  if (deadLetters === 'not-permitted') return [fact('dead letters', 'not permitted to look')];
  if (deadLetters.messages === 0) return [fact('dead letters', 'none')];
  const { messages, bytes, stream, last } = deadLetters;
  const [name, amount] = fact('dead letters', `${formatCount(messages)}, ${formatBytes(bytes)}`);
  const lines: Line[] = [
    [name, { ...amount, color: 'yellow', bold: true }, span(` in ${escapeControl(stream)}`, { dim: true })],
  ];
  if (last) {
    const tries = `${last.attempts} attempt${last.attempts === 1 ? '' : 's'}`;
    const text = `p${last.partition} #${last.sequence} of ${last.group} after ${tries}: ${last.error}`;
    lines.push(fact('the last', escapeControl(text)));
  }
  return lines;
}

/** The stream's state, limits and replicas, one fact a line, the most wanted first. */
export function streamLines(model: Model): Line[] {
  const facts = model.stream?.facts;
  if (!facts) return [line('not read yet', { dim: true })];
  const limits = [
    facts.maxMessages !== null && `${formatCount(facts.maxMessages)} messages`,
    facts.maxBytes !== null && formatBytes(facts.maxBytes),
    facts.maxAgeMs !== null && formatDuration(facts.maxAgeMs),
  ].filter((limit) => limit !== false);
  const followers = facts.followers.map(({ name, current }) => `${name}${current ? '' : ' (behind)'}`);
  const replicas =
    facts.replicas === 1
      ? '1'
      : `${facts.replicas}, leader ${facts.leader ?? 'none'}, followers ${followers.join(' ') || 'none'}`;
  return [
    fact('messages', `${formatCount(facts.messages)}, ${formatBytes(facts.bytes)}`),
    fact('sequences', `${facts.firstSequence} to ${facts.lastSequence}`),
    ...deadLetterLines(model),
    fact('subjects', escapeControl(facts.subjects.join(' '))),
    fact('replicas', escapeControl(replicas)),
    fact('consumers', `${facts.consumers}`),
    fact('limits', limits.length > 0 ? limits.join(', ') : 'none'),
    fact('storage', facts.storage),
    fact(
      'dedupe',
      facts.duplicateWindowMs === null ? 'none' : `within ${formatDuration(facts.duplicateWindowMs)}`,
    ),
  ];
}
