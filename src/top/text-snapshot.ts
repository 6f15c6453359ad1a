import { escapeControl } from '../core/lib/text.js';
import type { Model } from './model/model.js';
import { memberRows, partitionRows, partitionsOf } from './model/select.js';
import { PANELS, type PanelId } from './screen/state.js';
import { emptyLine } from './view/empty.js';
import { headerParts } from './view/header.js';
import { memberTable } from './view/members.js';
import { messageTable } from './view/messages.js';
import { partitionTable } from './view/partitions.js';
import { streamFacts } from './view/stream.js';
import type { Table } from './view/table.js';
import { type Line, plain } from './view/text.js';
import { timelineLines } from './view/timeline.js';
import { groupUpdates, updateLine } from './view/updates.js';

const RECENT = 20;

/** What is printed: every panel but the rates, which are a picture. */
type Printed = Exclude<PanelId, 'rates'>;
const isPrinted = (id: PanelId): id is Printed => id !== 'rates';

interface Section {
  title: string;
  /** How many there are. */
  count?: number;
  lines: Line[];
}

const linesOf = ({ header, rows }: Table): Line[] => [header, ...rows];

function sectionOf(id: Printed, model: Model, columns: number): Section {
  const or = (count: number, lines: () => Line[]): Line[] =>
    count === 0 || !model.ready ? [emptyLine(id, model, { filter: '' })] : lines();
  switch (id) {
    case 'partitions': {
      const rows = partitionRows(model);
      const lines = or(rows.length, () => linesOf(partitionTable(model, rows, columns, -1)));
      return { title: 'Partitions', count: rows.length, lines };
    }
    case 'members': {
      const rows = memberRows(model);
      const lines = or(rows.length, () => linesOf(memberTable(model, rows, columns, -1)));
      return { title: 'Members', count: rows.length, lines };
    }
    case 'updates': {
      const groups = groupUpdates(model.updates);
      const told = groups.slice(-RECENT).map((group) => updateLine(model, group));
      return { title: 'Status updates', count: groups.length, lines: or(groups.length, () => told) };
    }
    case 'messages': {
      const { messages } = model;
      const table = messageTable(messages.slice(-RECENT), columns, -1);
      const lines = or(messages.length, () => linesOf(table));
      return { title: 'Recent messages', count: messages.length, lines };
    }
    case 'timeline': {
      const partitions = partitionsOf(model);
      const lines = or(partitions.length, () => timelineLines(model, partitions, columns));
      return { title: 'Timeline', count: partitions.length, lines };
    }
    case 'stream':
      // One fact a line, to be searched and read out.
      return { title: 'Stream', lines: streamFacts(model, 0).facts };
  }
}

/** The group as plain text for people: every panel, or these, nothing cut off but long lines and long logs. */
export function textSnapshot(model: Model, columns: number, panels: readonly PanelId[] = PANELS): string {
  const { what, clock, status, stored, numbers } = headerParts(model, columns, {
    frozen: false,
    drawn: false,
  });
  const head = [`${plain(what)}  ${plain(clock)}`, `${plain(status)}  ${plain(stored)}`, plain(numbers)];
  if (model.missing !== null) return `${[...head, '', escapeControl(model.missing)].join('\n')}\n`;
  const body = panels.filter(isPrinted).flatMap((id) => {
    const { title, count, lines } = sectionOf(id, model, columns);
    return ['', count === undefined ? title : `${title} (${count})`, ...lines.map(plain)];
  });
  return `${[...head, ...body].map((text) => text.trimEnd()).join('\n')}\n`;
}
