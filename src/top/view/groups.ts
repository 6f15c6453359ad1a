import { formatCount } from '../../core/lib/units.js';
import { keyText, needsAttention, stateText } from '../../text/groups-table.js';
import type { Watchable } from '../feed.js';
import type { Model } from '../model/model.js';
import type { GroupList } from '../screen/state.js';
import { aboutLag, duration, UNKNOWN } from './format.js';
import type { Size } from './layout.js';
import { type Column, table, tableLines } from './table.js';
import { type Line, line, span } from './text.js';
import { windowOf } from './window.js';

const FRAME = 4;

/** The list of groups, with a mark at the watched group. */
export function groupLines(
  { target, now }: Model,
  { rows, at }: GroupList,
  { columns, rows: height }: Size,
): Line[] {
  const title = line('The groups of the account', { bold: true });
  if (!rows) return [title, line('loading …', { dim: true })];
  const isWatched = ({ stream, group }: Watchable) => stream === target?.stream && group === target.group;
  const shown = windowOf(rows.length, Math.max(1, height - FRAME), at, 'start');
  const all: Column<Watchable>[] = [
    {
      ...{ title: '', rank: 0 },
      cell: (row) =>
        needsAttention(row)
          ? span(isWatched(row) ? '▶!' : ' !', { color: 'red', bold: true })
          : span(isWatched(row) ? '▶ ' : '  '),
    },
    { title: 'STREAM', rank: 0, max: 24, cell: ({ stream }) => stream },
    { title: 'GROUP', rank: 0, max: 24, cell: ({ group }) => group },
    { title: 'MEMBERS', rank: 2, align: 'right', cell: ({ members }) => formatCount(members) },
    { title: 'OWNED', rank: 3, align: 'right', cell: ({ owned, partitions }) => `${owned}/${partitions}` },
    { title: 'LAG', rank: 1, align: 'right', cell: ({ lag, lagIsEstimate }) => aboutLag(lag, lagIsEstimate) },
    { title: 'OLDEST', rank: 4, align: 'right', cell: ({ oldestMs }) => duration(oldestMs) },
    {
      ...{ title: 'LAST COMMIT', rank: 5, align: 'right' },
      cell: ({ lastCommitAtMs: ms }) => (ms === null ? UNKNOWN : `${duration(Math.max(0, now - ms))} ago`),
    },
    { title: 'KEY', rank: 6, max: 24, cell: keyText },
    { title: 'STATE', rank: 1, cell: stateText },
  ];
  const room = { width: columns, selected: at - shown.start };
  const keys = line('Enter watches the group, Esc goes back, o refreshes', { dim: true });
  if (rows.length === 0) return [title, line('none', { dim: true }), line(''), keys];
  return [title, ...tableLines(table(all, rows.slice(shown.start, shown.end), room)), line(''), keys];
}
