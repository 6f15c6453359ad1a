import { formatBytes } from '../../core/lib/units.js';
import type { MessageFacts } from '../../core/ports/facts.js';
import { timeOfDay } from '../../text/time-of-day.js';
import { UNKNOWN } from './format.js';
import { type Column, type Table, type TableRoom, table } from './table.js';
import { span } from './text.js';

function previewText({ preview, size }: MessageFacts): string {
  if (preview === null) return `(${formatBytes(size)}, not text)`;
  return preview.replace(/\s+/g, ' ');
}

/** One line per message. `now` decides which day is today. */
export function messageTable(messages: readonly MessageFacts[], room: TableRoom, now: number): Table {
  const columns: Column<MessageFacts>[] = [
    { title: 'TIME', rank: 1, cell: ({ atMs }) => span(timeOfDay(atMs, true, now), { dim: true }) },
    {
      title: 'PART',
      rank: 0,
      min: 5,
      cell: ({ partition }) => (partition === null ? UNKNOWN : `p${partition}`),
    },
    { title: 'SEQ', rank: 0, min: 8, align: 'right', cell: ({ sequence }) => `${sequence}` },
    { title: 'KEY', rank: 2, min: 12, max: 20, cell: ({ key }) => key ?? UNKNOWN },
    { title: 'SIZE', rank: 3, min: 7, align: 'right', cell: ({ size }) => formatBytes(size) },
    { title: 'DATA', rank: 2, grow: true, cell: previewText },
  ];
  return table(columns, messages, room);
}
