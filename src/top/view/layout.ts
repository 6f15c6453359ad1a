import type { Model } from '../model/model.js';
import { partitionsOf } from '../model/select.js';
import { visiblePartitions } from '../screen/rows.js';
import type { PanelId, Ui } from '../screen/state.js';
import { mapHeight } from './partition-map.js';
import { GRAPHS } from './rates.js';
import { streamHeight } from './stream.js';
import { heldUpLines, worstHeight } from './worst.js';

/** A terminal's size in columns and rows. */
export interface Size {
  columns: number;
  rows: number;
}

/** Minimum size of the screen. */
export const SMALLEST: Size = { columns: 60, rows: 16 };
/** True if the screen can be drawn in a terminal of this size. */
export const isLargeEnough = ({ columns, rows }: Size): boolean =>
  columns >= SMALLEST.columns && rows >= SMALLEST.rows;

/** From this width on, panels are side by side. */
const WIDE_COLUMNS = 150;
/** Columns between two panels. */
export const GUTTER = 2;

/** The place of a panel. `height` includes its title. */
export interface Place {
  id: PanelId;
  height: number;
}

interface Stack {
  width: number;
  panels: Place[];
}

/** Columns side by side, `height` lines high. */
export interface Band {
  height: number;
  stacks: Stack[];
}

/** The heights that a panel can use, in lines, including its title. */
interface Wish {
  id: PanelId;
  /** Minimum height. A panel that would get less is omitted. */
  least: number;
  /** A height that is enough for most purposes. */
  good: number;
  most: number;
  /** True for a list of rows. It can use every line. */
  isList?: boolean;
}

/** Up to this number of partitions, a table is preferred; otherwise a map. */
const TABLE_ROWS = 16;

/** True if a panel of this height shows `count` partitions as a map, and not as a table. A maximized panel shows a table. */
export const isMapOf = (count: number, height: number, { zoom }: Pick<Ui, 'zoom'>): boolean =>
  !zoom && count > 0 && (count > TABLE_ROWS || height - 1 <= count);

function wishes(model: Model, width: number, rows: number): Record<PanelId, Wish> {
  const partitions = Math.max(1, partitionsOf(model).length);
  const members = Math.max(1, model.members.size);
  const map = 1 + mapHeight(partitions, width);
  const table = partitions + 2;
  const held = partitions <= TABLE_ROWS ? heldUpLines(model).length : 0;
  const least = Math.min(map + 1, rows >> 1);
  const good = partitions <= TABLE_ROWS ? table + held : map + worstHeight(model);
  const log = (lines: number) => ({ least: 4, good: 7, most: Math.max(7, lines + 2), isList: true });
  return {
    partitions: { id: 'partitions', least, good, most: good },
    members: {
      id: 'members',
      least: Math.min(members, 3) + 2,
      good: Math.min(members, 16) + 2,
      most: members + 2,
      isList: true,
    },
    updates: { id: 'updates', ...log(model.updates.length) },
    messages: { id: 'messages', ...log(model.messages.length) },
    timeline: { id: 'timeline', least: Math.min(table, 10), good: Math.min(table, 18), most: table },
    rates: { id: 'rates', least: 1 + 2 * GRAPHS, good: 1 + 2 * GRAPHS, most: 1 + 4 * GRAPHS },
    stream: {
      id: 'stream',
      least: 5,
      good: streamHeight(model, width),
      most: streamHeight(model, width),
    },
  };
}

type Level = 'least' | 'good';
/**
 * The height that a panel requests. It is granted as a whole or not at all. A panel needs its `least` height before it gets its `good`
 * height.
 */
type Claim = readonly [PanelId, Level];

/** Grants the claims in order while there is room. Then the panels get the remaining lines in turn. */
function stack(wanted: readonly Wish[], claims: readonly Claim[], width: number, rows: number): Stack {
  const heights = new Map<PanelId, number>();
  let left = rows;
  const give = (id: PanelId, height: number): void => {
    const more = Math.max(0, height - (heights.get(id) ?? 0));
    if (more > left) return;
    heights.set(id, Math.max(height, heights.get(id) ?? 0));
    left -= more;
  };
  for (const [id, level] of claims) {
    const wish = wanted.find((each) => each.id === id);
    if (wish && (level === 'least' || heights.has(id))) give(id, wish[level]);
  }
  for (let before = -1; left > 0 && left !== before; ) {
    before = left;
    for (const { id, most, good, isList } of wanted) {
      const height = heights.get(id);
      // A list can use every additional line. Other panels need their `good` height first.
      const hasUse = height !== undefined && (height >= good || isList === true);
      if (hasUse && height < most) give(id, height + 1);
    }
  }
  const panels = wanted.flatMap(({ id }) => {
    const height = heights.get(id);
    return height === undefined ? [] : [{ id, height }];
  });
  return { width, panels };
}

/** The claims of the panels in a single column. The minimum heights of the four most important panels come first. */
const NARROW: readonly Claim[] = [
  ['partitions', 'least'],
  ['members', 'least'],
  ['updates', 'least'],
  ['messages', 'least'],
  ['members', 'good'],
  ['partitions', 'good'],
  ['updates', 'good'],
  ['timeline', 'least'],
  ['messages', 'good'],
  ['timeline', 'good'],
  ['stream', 'least'],
  ['stream', 'good'],
  ['rates', 'least'],
];
const WIDE_LEFT: readonly Claim[] = [
  ['partitions', 'least'],
  ['timeline', 'least'],
  ['partitions', 'good'],
  ['timeline', 'good'],
  ['stream', 'least'],
  ['stream', 'good'],
  ['rates', 'least'],
];
const WIDE_RIGHT: readonly Claim[] = [
  ['updates', 'least'],
  ['messages', 'least'],
  ['updates', 'good'],
  ['messages', 'good'],
];

const half = (columns: number): number => Math.floor((columns - GUTTER) / 2);

const alone = (id: PanelId, { columns, rows }: Size): Band[] => [
  { height: rows, stacks: [{ width: columns, panels: [{ id, height: rows }] }] },
];

/**
 * The layout of a wide screen. The members have the most columns, so they get the whole width. Partitions and updates are side by side
 * below.
 */
function wide(all: Record<PanelId, Wish>, { columns, rows }: Size): Band[] {
  const head = Math.min(all.members.most, Math.max(all.members.least, Math.floor(rows / 3)));
  const left = half(columns);
  const height = rows - head;
  return [
    { height: head, stacks: [{ width: columns, panels: [{ id: 'members', height: head }] }] },
    {
      height,
      stacks: [
        stack([all.partitions, all.timeline, all.rates, all.stream], WIDE_LEFT, left, height),
        stack([all.updates, all.messages], WIDE_RIGHT, columns - GUTTER - left, height),
      ],
    },
  ];
}

/** True if the screen shows the partitions as a map. The arrow keys then follow the numbers of the partitions. */
export function showsMap(model: Model, ui: Ui, size: Size): boolean {
  const places = layOut(model, ui, size).flatMap(({ stacks }) => stacks.flatMap(({ panels }) => panels));
  const place = places.find(({ id }) => id === 'partitions');
  return place !== undefined && isMapOf(visiblePartitions(model, ui).length, place.height, ui);
}

/** The places of the panels between header and footer. */
export function layOut(model: Model, ui: Ui, size: Size): Band[] {
  const { columns, rows } = size;
  if (ui.zoom) return alone(ui.focus, size);
  const isWide = columns >= WIDE_COLUMNS;
  const all = wishes(model, isWide ? half(columns) : columns, rows);
  const bands = isWide
    ? wide(all, size)
    : [
        {
          height: rows,
          stacks: [
            stack(
              [all.partitions, all.members, all.timeline, all.updates, all.messages, all.rates, all.stream],
              NARROW,
              columns,
              rows,
            ),
          ],
        },
      ];
  // A focused panel without a place is maximized.
  const placed = bands.some(({ stacks }) =>
    stacks.some(({ panels }) => panels.some(({ id }) => id === ui.focus)),
  );
  return placed ? bands : alone(ui.focus, size);
}
