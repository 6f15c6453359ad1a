import { escapeControl, textWidth, truncate } from '../core/lib/text.js';
import { formatBytes } from '../core/lib/units.js';
import { textOf } from '../core/member/partition/output.js';
import type { StoredMessage } from '../core/ports/stream-admin.js';
import { formatPairs } from './table.js';

/** The default width of a line. */
const PREVIEW_COLUMNS = 160;

/**
 * One line for people: time, partition, sequence, key, size and the start of the payload. Control characters are
 * escaped, so that a message cannot move the cursor.
 *
 * @param columns width of the terminal; undefined: no limit, with a preview of the default width.
 */
export function formatMessageLine(message: StoredMessage, columns: number | undefined): string {
  const { sequence, partition, key, atMs, data } = message;
  const time = new Date(atMs).toISOString().slice(11, 23);
  const where = partition === null ? escapeControl(message.subject) : `p${partition}`;
  const name = key === null ? '' : `  ${escapeControl(key)}`;
  const head = `${time}  ${where}  #${sequence}${name}  ${formatBytes(data.length)}  `;
  const room = columns === undefined ? PREVIEW_COLUMNS : Math.max(0, columns - textWidth(head));
  const line = head + preview(data, room);
  return columns === undefined ? line : truncate(line, columns);
}

function preview(data: Uint8Array, columns: number): string {
  // Enough bytes for these columns; a character split by the cut is dropped.
  const text = textOf(data.subarray(0, columns * 4)) ?? cutText(data, columns * 4);
  if (text === undefined) return '(not text)';
  return truncate(escapeControl(text), columns);
}

/** The start of a long text, without the character that the cut splits. */
function cutText(data: Uint8Array, end: number): string | undefined {
  if (end >= data.length) return undefined;
  for (let cut = 1; cut < 4; cut++) {
    const text = textOf(data.subarray(0, end - cut));
    if (text !== undefined) return text;
  }
  return undefined;
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
    ['Stored', new Date(atMs).toISOString()],
    ['Size', formatBytes(data.length)],
    ...headers.map(([name, value]): [string, string] => [escapeControl(name), escapeControl(value)]),
  ]);
  const body = text === undefined ? `(not text, base64) ${Buffer.from(data).toString('base64')}` : text;
  return [...lines, '', ...body.split('\n').map(escapeControl)];
}

/** A message for `--json`: `data` is text; if the payload is not UTF-8, `data_base64` is used instead. */
export function messageJson(message: StoredMessage): unknown {
  const { sequence, subject, partition, key, atMs, headers, data } = message;
  const text = textOf(data);
  return {
    seq: sequence,
    partition,
    key,
    subject,
    time: new Date(atMs).toISOString(),
    size: data.length,
    headers: Object.fromEntries(headers),
    ...(text === undefined ? { data_base64: Buffer.from(data).toString('base64') } : { data: text }),
  };
}
