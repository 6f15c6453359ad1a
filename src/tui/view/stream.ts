import { escapeControl } from '../../core/consume/output.js';
import { formatBytes, formatCount, formatDuration } from '../../core/units.js';
import type { Model } from '../model/model.js';
import { type Line, line, span } from './text.js';

const fact = (name: string, value: string): Line => [
  span(`${name}  `.padStart(14), { dim: true }),
  span(value),
];

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
