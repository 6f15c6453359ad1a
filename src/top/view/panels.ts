import type { Model } from '../model/model.js';
import { partitionsOf } from '../model/select.js';
import {
  updateId,
  visibleConsumers,
  visibleMessages,
  visiblePartitions,
  visibleUpdates,
} from '../screen/rows.js';
import type { PanelId, Ui } from '../screen/state.js';
import { consumerTable } from './consumers.js';
import { messageTable } from './messages.js';
import { partitionMap, partitionTable } from './partitions.js';
import { rateLines } from './rates.js';
import { streamLines } from './stream.js';
import type { Table } from './table.js';
import { type Line, line } from './text.js';
import { timelineLines } from './timeline.js';
import { updateLine } from './updates.js';

/** Where there is room for so many rows, partitions are a table; otherwise a map. */
const TABLE_ROWS = 16;
/** A table below the map has at least so many lines. */
const MIN_TABLE = 4;

/** What a panel shows in the room that it has. */
export interface PanelContent {
  title: string;
  /** Beside the title: how it is sorted, how much there is. */
  info: string;
  lines: Line[];
}

/** The part of `count` rows that is shown in `height` lines: around the selected one, or the end of a log. */
function windowOf(
  count: number,
  height: number,
  selected: number,
  follow: 'start' | 'end',
): { start: number; end: number } {
  if (count <= height) return { start: 0, end: count };
  const wanted = selected >= 0 ? selected - (height >> 1) : follow === 'end' ? count - height : 0;
  const start = Math.max(0, Math.min(count - height, wanted));
  return { start, end: start + height };
}

const cut = (shown: { start: number; end: number }, count: number): string =>
  shown.end - shown.start < count ? `${shown.start + 1}-${shown.end} of ${count}` : `${count}`;

/** A table with its header above the part of the rows that fits; a row is worth more than the header. */
function tablePanel<Row>(
  rows: readonly Row[],
  height: number,
  selected: number,
  follow: 'start' | 'end',
  make: (rows: readonly Row[], selected: number) => Table,
): { lines: Line[]; info: string } {
  const shown = windowOf(rows.length, Math.max(1, height - 1), selected, follow);
  const { header, rows: lines } = make(rows.slice(shown.start, shown.end), selected - shown.start);
  return { lines: height > 1 ? [header, ...lines] : lines, info: cut(shown, rows.length) };
}

function partitionsPanel(model: Model, ui: Ui, width: number, height: number): PanelContent {
  const rows = visiblePartitions(model, ui);
  const selected = rows.findIndex(({ partition }) => `${partition}` === ui.selected.partitions);
  const title = 'Partitions';
  // Before the first look nobody is known to own anything, which is not the same as that nobody does.
  if (rows.length === 0 || !model.ready) return nothing(title, empty(model, ui));
  const map = partitionMap(model, rows, width);
  const asked = ui.focus === 'partitions' && (ui.zoom || selected >= 0);
  const roomForTable = height > Math.min(rows.length, TABLE_ROWS);
  if (!(asked || roomForTable)) return { title, info: `${rows.length}`, lines: map.slice(0, height) };
  // The map stays above a table that does not show everything.
  const above = rows.length > height - 1 && map.length <= height - MIN_TABLE ? map : [];
  const { lines, info } = tablePanel(rows, height - above.length, selected, 'start', (part, at) =>
    partitionTable(model, part, width, at),
  );
  return { title, info: `${info}, by ${ui.partitionSort}`, lines: [...above, ...lines] };
}

/** A panel that says why it is empty. */
const nothing = (title: string, why: string): PanelContent => ({
  title,
  info: '',
  lines: [line(why, { dim: true })],
});

/** Why there is nothing to show; `hint`: what to do about it. */
function empty(model: Model, ui: Ui, hint = 'none'): string {
  if (!model.ready) return 'looking …';
  return ui.filter === '' ? hint : `nothing matches "${ui.filter}"`;
}

function consumersPanel(model: Model, ui: Ui, width: number, height: number): PanelContent {
  const rows = visibleConsumers(model, ui);
  const title = 'Consumers';
  if (rows.length === 0) {
    const hint = `Nobody consumes. Start one: natspoc consume --group ${model.target?.group ?? ''}`;
    return nothing(title, empty(model, ui, hint));
  }
  const selected = rows.findIndex(({ member }) => member.id === ui.selected.consumers);
  const { lines, info } = tablePanel(rows, height, selected, 'start', (part, at) =>
    consumerTable(model, part, width, at),
  );
  return { title, info: `${info}, by ${ui.consumerSort}`, lines };
}

function updatesPanel(model: Model, ui: Ui, height: number): PanelContent {
  const groups = visibleUpdates(model, ui);
  const title = 'Status updates';
  if (groups.length === 0) return nothing(title, empty(model, ui, 'Nothing has happened yet.'));
  const selected = groups.findIndex((group) => updateId(group) === ui.selected.updates);
  const shown = windowOf(groups.length, height, selected, 'end');
  const lines = groups.slice(shown.start, shown.end).map((group, i) => {
    const made = updateLine(model, group);
    return i === selected - shown.start ? made.map((each) => ({ ...each, inverse: true })) : made;
  });
  return { title, info: cut(shown, groups.length), lines };
}

function messagesPanel(model: Model, ui: Ui, width: number, height: number): PanelContent {
  const messages = visibleMessages(model, ui);
  const title = 'Recent messages';
  if (messages.length === 0) {
    return nothing(title, empty(model, ui, 'No messages. Publish some: natspoc publish --rate 10'));
  }
  const selected = messages.findIndex(({ sequence }) => `${sequence}` === ui.selected.messages);
  const { lines, info } = tablePanel(messages, height, selected, 'end', (part, at) =>
    messageTable(part, width, at),
  );
  return { title, info, lines };
}

function timelinePanel(model: Model, ui: Ui, width: number, height: number): PanelContent {
  if (!model.ready) return nothing('Timeline', empty(model, ui));
  const partitions =
    ui.filter === '' ? partitionsOf(model) : visiblePartitions(model, ui).map((p) => p.partition);
  const at = partitions.findIndex((partition) => `${partition}` === ui.selected.timeline);
  const shown = windowOf(partitions.length, Math.max(1, height - 1), at, 'start');
  return {
    title: 'Timeline',
    info: cut(shown, partitions.length),
    lines: timelineLines(model, partitions.slice(shown.start, shown.end), width),
  };
}

/** A panel's content for this room: `width` columns, `height` lines below its title. */
export function panelContent(id: PanelId, model: Model, ui: Ui, width: number, height: number): PanelContent {
  switch (id) {
    case 'partitions':
      return partitionsPanel(model, ui, width, height);
    case 'consumers':
      return consumersPanel(model, ui, width, height);
    case 'updates':
      return updatesPanel(model, ui, height);
    case 'messages':
      return messagesPanel(model, ui, width, height);
    case 'timeline':
      return timelinePanel(model, ui, width, height);
    case 'rates':
      return { title: 'Rates', info: '', lines: rateLines(model, width, height) };
    case 'stream':
      return { title: 'Stream', info: model.target?.stream ?? '', lines: streamLines(model, width) };
  }
}
