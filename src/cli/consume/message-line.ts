import { escapeControl } from '../../core/lib/text.js';
import { textOf } from '../../core/lib/utf8.js';
import type { BatchContext } from '../../core/member/partition/handler.js';
import type { StreamMessage } from '../../core/protocol/message.js';
import { isoText, timeText } from '../../text/time-of-day.js';

/** One line of NDJSON for a message, without the line feed. A payload that is not UTF-8 is in `data_base64` instead of `data`. */
export function toNdjson(message: StreamMessage, context: BatchContext): string {
  const { key, subject, sequence, timestampMs, data } = message;
  const text = textOf(data);
  const payload =
    text === undefined
      ? `"data_base64":"${Buffer.from(data).toString('base64')}"`
      : `"data":${JSON.stringify(text)}`;
  // Concatenation costs half as much as JSON.stringify of an object.
  return escapeControl(
    `{"partition":${context.partition},"sequence":${sequence},"epoch":${context.epoch},` +
      `"key":${key === null ? 'null' : JSON.stringify(key)},"subject":${JSON.stringify(subject)},` +
      `"time":"${isoText(timestampMs)}","redelivered":${context.attempt > 1},${payload}}`,
  );
}

/** A message as one line for people, without the line feed. */
export function toText(message: StreamMessage, context: BatchContext): string {
  const text = textOf(message.data) ?? `(${message.size} bytes, not text)`;
  const time = timeText(message.timestampMs);
  const key = message.key === null ? '' : ` ${escapeControl(message.key)}`;
  return `${time} p${context.partition} #${message.sequence}${key}  ${escapeControl(text)}`;
}
