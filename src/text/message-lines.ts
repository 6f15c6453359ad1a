import { escapeControl, textWidth, truncate } from '../core/lib/text.js';
import { formatBytes } from '../core/lib/units.js';
import { startOfText, textOf } from '../core/lib/utf8.js';
import type { StoredMessage } from '../core/ports/stream-admin.js';
import { payloadJson } from './json.js';
import { formatPairs } from './table.js';
import { timeOfDay } from './time-of-day.js';

const PREVIEW_COLUMNS = 160;

/**
 * One line for people: time, partition, sequence, key, size and the start of the payload. Control characters are escaped.
 *
 * @param columns width of the terminal. Without it, only the payload is cut.
 */
export function formatMessageLine(message: StoredMessage, columns: number | undefined): string {
  const { sequence, partition, key, atMs, data } = message;
  const time = timeOfDay(atMs, true);
  const where = partition === null ? escapeControl(message.subject) : `p${partition}`;
  const name = key === null ? '' : `  ${escapeControl(key)}`;
  const head = `${time}  ${where}  #${sequence}${name}  ${formatBytes(data.length)}  `;
  const room = columns === undefined ? PREVIEW_COLUMNS : Math.max(0, columns - textWidth(head));
  const line = head + preview(data, room);
  return columns === undefined ? line : truncate(line, columns);
}

function preview(data: Uint8Array, columns: number): string {
  // A column shows at most four bytes of the payload.
  const text = startOfText(data, columns * 4);
  return text === undefined ? '(not text)' : truncate(escapeControl(text), columns);
}

/** A message in full, for people. */
export function formatMessage(message: StoredMessage): string[] {
  const { sequence, subject, partition, key, atMs, headers, data } = message;
  const text = textOf(data);
  const lines = formatPairs([
    ['Sequence', String(sequence)],
    ['Subject', escapeControl(subject)],
    ['Partition', partition === null ? '-' : `p${partition}`],
    ['Key', key === null ? '-' : escapeControl(key)],
    ['Stored', timeOfDay(atMs, true)],
    ['Size', formatBytes(data.length)],
    ...headers.map(([name, value]): [string, string] => [escapeControl(name), escapeControl(value)]),
  ]);
  const body = text === undefined ? `(not text, base64) ${Buffer.from(data).toString('base64')}` : text;
  return [...lines, '', ...body.split('\n').map(escapeControl)];
}

/** A message for `--json`. */
export function messageJson(message: StoredMessage): unknown {
  const { sequence, subject, partition, key, atMs, headers, data } = message;
  return {
    sequence,
    partition,
    key,
    subject,
    time: new Date(atMs).toISOString(),
    size: data.length,
    headers: Object.fromEntries(headers),
    ...payloadJson(data),
  };
}
