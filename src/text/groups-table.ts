import { escapeControl } from '../core/lib/text.js';
import { aboutCount, countOf, formatCount, formatDuration } from '../core/lib/units.js';
import { isoTime } from './json.js';
import { formatTable } from './table.js';

/** The values of a group that the table of `groups` shows. */
export interface GroupRow {
  group: string;
  state: string;
  key: string | null;
  filter: string | null;
  partitions: number;
  owned: number;
  members: number;
  unreachable: number;
  lag: number | null;
  lagIsEstimate: boolean;
  oldestMs: number | null;
  lastCommitAtMs: number | null;
  wrongPositions: number;
  resizingTo: number | null;
  problem: string | null;
}

const NONE = '-';

/** True for a group that an operator should look at. */
export const needsAttention = (group: GroupRow): boolean =>
  group.state === 'no-members' ||
  group.state === 'unreadable' ||
  group.wrongPositions > 0 ||
  waitsForMember(group);

/** True if a resize is done only when a member joins. */
const waitsForMember = ({ resizingTo, members }: GroupRow): boolean => resizingTo !== null && members === 0;

/**
 * The table of `groups`, one line per group. `!` marks groups that need attention.
 *
 * @param width of the terminal. The least important columns are omitted if necessary.
 */
export function formatGroups(groups: readonly GroupRow[], width?: number): string[] {
  return formatTable(
    [
      { title: '  GROUP' },
      { title: 'MEMBERS', align: 'right' },
      { title: 'OWNED', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'OLDEST', align: 'right', rank: 2 },
      { title: 'LAST COMMIT', align: 'right', rank: 1 },
      { title: 'KEY', rank: 3 },
      { title: 'STATE' },
    ],
    groups.map((each) => [
      `${needsAttention(each) ? '!' : ' '} ${escapeControl(each.group)}`,
      String(each.members),
      each.problem === null ? `${each.owned} of ${each.partitions}` : NONE,
      each.lag === null ? NONE : aboutCount(each.lag, each.lagIsEstimate),
      each.oldestMs === null ? NONE : formatDuration(each.oldestMs),
      each.lastCommitAtMs === null
        ? NONE
        : `${formatDuration(Math.max(0, Date.now() - each.lastCommitAtMs))} ago`,
      keyText(each),
      stateText(each),
    ]),
    width,
  );
}

/** The group's key as text. Without a key, the group uses the partitions of the stream. */
export function keyText({ key, filter, problem }: GroupRow): string {
  if (problem !== null) return NONE;
  if (key === null) return 'partitions of the stream';
  return escapeControl(filter === null || filter === '>' ? key : `${key} of ${filter}`);
}

/** The state of a group, as text. */
export function stateText(group: GroupRow): string {
  const { state, problem, unreachable, wrongPositions, resizingTo } = group;
  const resize = waitsForMember(group)
    ? `the resize to ${resizingTo} waits for a member`
    : `being resized to ${resizingTo}`;
  if (problem !== null) return `${state}: ${escapeControl(problem)}`;
  const parts = [
    state === 'no-members' ? 'no members' : state,
    ...(unreachable > 0 ? [`${formatCount(unreachable)} unreachable`] : []),
    ...(wrongPositions > 0 ? [countOf(wrongPositions, 'wrong position')] : []),
    ...(resizingTo === null ? [] : [resize]),
  ];
  return parts.join(', ');
}

/** A group for `--json`. */
export const groupRowJson = ({ lastCommitAtMs, ...group }: GroupRow): object => ({
  ...group,
  lastCommitAt: isoTime(lastCommitAtMs),
});
