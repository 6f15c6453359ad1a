import { escapeControl } from '../core/lib/text.js';
import type { Model } from './model/model.js';
import { memberRows, partitionRows, partitionsOf } from './model/select.js';
import { type Hints, withFlags } from './screen/hints.js';
import { PANELS, type PanelId } from './screen/state.js';
import { emptyLine } from './view/empty.js';
import { headerParts } from './view/header.js';
import { memberTable } from './view/members.js';
import { messageTable } from './view/messages.js';
import { partitionTable } from './view/partitions.js';
import { streamFacts } from './view/stream.js';
import { tableLines } from './view/table.js';
import { type Line, plain } from './view/text.js';
import { timelineTable } from './view/timeline.js';
import { groupUpdates, updateLine } from './view/updates.js';

/** Maximum number of printed updates, and of printed messages. */
const RECENT = 20;

/** The title, number of rows and lines of a panel. The rates are only drawn. */
function sectionOf(id: PanelId, model: Model, columns: number): [string, number, Line[]] | undefined {
  const partitions = partitionRows(model);
  const members = memberRows(model);
  const groups = groupUpdates(model.updates);
  const { messages } = model;
  switch (id) {
    case 'partitions':
      return [
        'Partitions',
        partitions.length,
        tableLines(partitionTable(model, partitions, { width: columns })),
      ];
    case 'members':
      return ['Members', members.length, tableLines(memberTable(model, members, { width: columns }))];
    case 'updates':
      return [
        'Status updates',
        groups.length,
        groups.slice(-RECENT).map((group) => updateLine(model, group)),
      ];
    case 'messages':
      return [
        'Recent messages',
        messages.length,
        tableLines(messageTable(messages.slice(-RECENT), { width: columns }, model.now)),
      ];
    case 'timeline':
      return ['Timeline', partitions.length, tableLines(timelineTable(model, partitionsOf(model), columns))];
    case 'stream': {
      // One fact per line can be searched and read aloud.
      const { facts } = streamFacts(model, 0);
      return ['Stream', facts.length, facts];
    }
    case 'rates':
      return undefined;
  }
}

/** The given panels as plain text. Only long lines and long logs are cut off. */
export function textSnapshot(
  model: Model,
  columns: number,
  hints: Hints,
  panels: readonly PanelId[] = PANELS,
): string {
  const { what, clock, status, stored, numbers } = headerParts(model, columns, {});
  const text = [`${plain(what)}  ${plain(clock)}`, `${plain(status)}  ${plain(stored)}`, plain(numbers)];
  if (model.missing !== null) text.push('', escapeControl(withFlags(model.missing, model, hints)));
  for (const id of model.missing === null ? panels : []) {
    const section = sectionOf(id, model, columns);
    if (!section) continue;
    const [title, count, lines] = section;
    const shown =
      count > 0 && (model.ready || id === 'stream') ? lines : [emptyLine(id, model, { filter: '', hints })];
    text.push('', id === 'stream' ? title : `${title} (${count})`, ...shown.map(plain));
  }
  return `${text.map((each) => each.trimEnd()).join('\n')}\n`;
}
