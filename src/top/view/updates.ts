import { countOf } from '../../core/lib/units.js';
import { partitionList } from '../../text/partition-list.js';
import { timeOfDay } from '../../text/time-of-day.js';
import type { Model, Update } from '../model/model.js';
import { duration } from './format.js';
import { colorOf, letterOf } from './palette.js';
import { type Line, MOST_NAME, type Span, shortenName, span } from './text.js';

type Shortened = (name: string) => string;

/** Moves of one kind between the same members within this time share a line. */
const TOGETHER_MS = 400;

/** Updates that are shown in one line. Their `partitions` are in numerical order. */
export interface UpdateGroup {
  first: Update;
  partitions: number[];
  /** The longest time without a living owner in one of the partitions; null if unknown. */
  gapMs: number | null;
  updates: Update[];
}

const moveKey = (update: Update): string | undefined => {
  switch (update.event) {
    case 'acquired':
      return `${update.reason === 'claim'} ${update.from} ${update.session}`;
    case 'released':
      return `${update.event} ${update.from}`;
    case 'paused':
    case 'resumed':
    case 'pinned':
    case 'unpinned':
      return `${update.event} ${update.by} ${update.to}`;
    case 'held-up':
      return `${update.event} ${update.session} ${update.why} ${update.reason}`;
    case 'continues':
      return `${update.event} ${update.session}`;
    default:
      return undefined;
  }
};

const grouped = new WeakMap<readonly Update[], UpdateGroup[]>();

/** Updates, oldest first. The moves of a rebalance are grouped. */
export function groupUpdates(updates: readonly Update[]): UpdateGroup[] {
  const known = grouped.get(updates) ?? together(updates);
  grouped.set(updates, known);
  return known;
}

function together(updates: readonly Update[]): UpdateGroup[] {
  const groups: UpdateGroup[] = [];
  const open = new Map<string, UpdateGroup>();
  for (const update of updates) {
    const key = moveKey(update);
    const group = key === undefined ? undefined : open.get(key);
    const partition = 'partition' in update && update.partition !== undefined ? [update.partition] : [];
    const { gapMs = null } = update;
    if (group && update.at - group.first.at < TOGETHER_MS) {
      group.partitions = [...group.partitions, ...partition].sort((a, b) => a - b);
      group.gapMs = gapMs === null ? group.gapMs : Math.max(gapMs, group.gapMs ?? 0);
      group.updates.push(update);
      continue;
    }
    const fresh = { first: update, partitions: partition, gapMs, updates: [update] };
    groups.push(fresh);
    if (key !== undefined) open.set(key, fresh);
  }
  return groups;
}

/** A member's letter and name. A member that ended long ago has no letter any more. */
function member(
  model: Model,
  { session: id, member: whole }: { session: string; member: string },
  short: Shortened,
): Span[] {
  const name = short(whole);
  if (!model.letters.has(id)) return [span(name)];
  const color = colorOf(model, id);
  return [span(letterOf(model, id), { color, bold: true }), span(` ${name}`, { color })];
}

/** How long it took until the new owners handled messages: ` in 12 ms`. */
function took(model: Model, { gapMs, updates }: UpdateGroup): Span {
  const times = updates
    .map((update) => ('epoch' in update ? model.took.get(update.epoch) : undefined))
    .filter((ms) => ms !== undefined);
  if (times.length === 0) return span(gapMs ? `, ${duration(gapMs)} after its end` : '', { dim: true });
  return span(` in ${duration((gapMs ?? 0) + Math.max(...times))}`, { dim: true });
}

/** The moved partitions in short: `p3`, or `4 partitions`. */
const moved = ({ partitions }: UpdateGroup): Span =>
  span(partitions.length === 1 ? partitionList(partitions) : countOf(partitions.length, 'partition'), {
    bold: true,
  });

/** The list of the moved partitions. It is at the end of the line, which a narrow terminal cuts off. */
const listed = ({ partitions }: UpdateGroup): Span[] =>
  partitions.length > 1 ? [span(`: ${partitionList(partitions)}`)] : [];

function describe(model: Model, group: UpdateGroup, short: Shortened): Span[] {
  const { first } = group;
  switch (first.event) {
    case 'joined':
    case 'left':
    case 'ended':
      return [...member(model, first, short), span(` ${first.event}`)];
    case 'leaving':
      return [...member(model, first, short), span(' is leaving', { color: 'yellow' })];
    case 'died':
      return [
        ...member(model, first, short),
        span(' died', { color: 'red', bold: true }),
        span(`: fenced ${duration(first.silentMs ?? null)} after its last renewal`, { color: 'red' }),
      ];
    case 'acquired': {
      const to = member(model, first, short);
      if (first.reason === 'claim') {
        const from = first.from === null ? '' : ` from ${short(first.from)}`;
        return [...to, span(' claimed '), moved(group), span(from), took(model, group), ...listed(group)];
      }
      // The only member took its released partition again.
      if (first.from === first.member) {
        const again = span(' and took it again');
        return [...to, span(' released '), moved(group), again, took(model, group), ...listed(group)];
      }
      const from = first.from === null ? '' : ` from ${short(first.from)}`;
      return [...to, span(' got '), moved(group), span(from), took(model, group), ...listed(group)];
    }
    case 'released':
      return [
        span(first.from === null ? 'released ' : `${short(first.from)} released `),
        moved(group),
        first.keptForMs === null
          ? span(', without an owner now', { color: 'yellow' })
          : span(` for a restart, kept ${duration(first.keptForMs)}`),
        ...listed(group),
      ];
    case 'paused':
    case 'resumed':
    case 'unpinned':
    case 'pinned': {
      const to = first.event === 'pinned' && first.to !== null ? ` to ${short(first.to)}` : '';
      const by = first.by === '' ? '' : ` by ${short(first.by)}`;
      return [moved(group), span(` ${first.event}${to}${by}`, { color: 'yellow' }), ...listed(group)];
    }
    case 'resizing':
      return [
        span(
          `${first.by ?? ''} resizes the group from ${first.partitionsBefore} to ${first.partitionsAfter} partitions`,
          {
            color: 'yellow',
          },
        ),
      ];
    case 'resize-aborted':
      return [span(`the resize was aborted: ${first.partitionsAfter} partitions`, { color: 'yellow' })];
    case 'resized':
      return [
        span(`resized from ${first.partitionsBefore} to ${first.partitionsAfter} partitions`, { bold: true }),
      ];
    case 'held-up': {
      const color = first.why === 'halted' ? 'red' : 'yellow';
      return [
        ...member(model, first, short),
        span(' '),
        moved(group),
        span(` ${first.why}`, { color, bold: true }),
        span(`: ${first.reason}`),
        ...listed(group),
      ];
    }
    case 'continues':
      return [
        ...member(model, first, short),
        span(' '),
        moved(group),
        span(` continues after ${duration(first.heldMs)}`),
        ...listed(group),
      ];
    case 'disconnected':
      return [span(`disconnected from ${first.server}`, { color: 'red' })];
    case 'reconnected':
      return [span(`connected to ${first.server} again after ${duration(first.afterMs)}`)];
    case 'unreadable':
      return [span(`cannot read the entry ${first.key}`, { color: 'red' })];
  }
}

/** One line for a group of updates, with its time. `short`: names are shortened, so that the event after a name is visible. */
export function updateLine(model: Model, group: UpdateGroup, { short = false } = {}): Line {
  const time = span(`${timeOfDay(group.first.at, true, model.now)}  `, { dim: true });
  return [time, ...describe(model, group, (name) => (short ? shortenName(name, MOST_NAME) : name))];
}
