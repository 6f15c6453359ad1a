import { isEstimate, type LeaseStatus, needsAttention } from '../../core/admin/lease-status.js';
import { stateText } from '../../text/lease-table.js';
import type { Model } from '../model/model.js';
import { partitionRows } from '../model/select.js';
import { isBehind, mostLag, troubledPartitions } from '../model/worst.js';
import { aboutLag, duration } from './format.js';
import { letterSpan } from './palette.js';
import { type Line, line, type Span, shortenName, span } from './text.js';

const WORST = 5;
/** Maximum width of an owner's name, so that the state and the reason after it are visible. */
const OWNER = 16;

/** Lines with the reasons why partitions are held up. They are shown below a table. */
export const heldUpLines = (model: Model): Line[] =>
  partitionRows(model)
    .filter(({ holdUp }) => holdUp !== null)
    .slice(0, WORST)
    .map((row) => troubleLine(model, row));

/** The number of lines for the worst partitions. */
export const worstHeight = (model: Model): number =>
  Math.max(1, Math.min(WORST, troubledPartitions(model).length));

/** A partition with owner, lag and age of its oldest waiting message: `p4 B worker-2 lag 1,234 (3m 2s)`. */
function aboutPartition(model: Model, row: LeaseStatus): Span[] {
  const owner =
    row.owner === null
      ? []
      : [span(' '), letterSpan(model, row.session), span(` ${shortenName(row.owner, OWNER)}`)];
  const age = row.oldestMs ? ` (${duration(row.oldestMs)})` : '';
  return [
    span(`p${row.partition}`, { bold: true }),
    ...owner,
    span(' lag ', { dim: true }),
    span(`${aboutLag(row.lag, isEstimate(row))}${age}`, isBehind(row) ? { color: 'yellow', bold: true } : {}),
  ];
}

function troubleLine(model: Model, row: LeaseStatus): Line {
  const color = needsAttention(row) ? 'red' : 'yellow';
  const why = row.holdUp ? `: ${row.holdUp.reason}` : '';
  return [...aboutPartition(model, row), span('  '), span(stateText(row), { color, bold: true }), span(why)];
}

/** The worst partitions in words, one per line. Without problems, these are the partitions with the most lag. */
export function worstLines(model: Model, height: number): Line[] {
  const troubled = troubledPartitions(model);
  if (troubled.length === 0) {
    const most = mostLag(model, WORST);
    if (most.length === 0) return [line('no messages wait', { dim: true })].slice(0, height);
    const named = most.flatMap((row, i) => [span(i > 0 ? '   ' : ''), ...briefly(model, row)]);
    return [[span('most lag  ', { dim: true }), ...named]].slice(0, height);
  }
  const shown = troubled.slice(0, Math.min(WORST, height));
  const lines = shown.map((row) => troubleLine(model, row));
  const more = troubled.length - shown.length;
  const last = lines.at(-1);
  if (more > 0 && last) lines[lines.length - 1] = [span(`(+${more} more) `, { dim: true }), ...last];
  return lines;
}

const briefly = (model: Model, row: LeaseStatus): Span[] => [
  span(`p${row.partition} `, { bold: true }),
  letterSpan(model, row.session),
  span(` ${aboutLag(row.lag, isEstimate(row))}`, isBehind(row) ? { color: 'yellow', bold: true } : {}),
];
