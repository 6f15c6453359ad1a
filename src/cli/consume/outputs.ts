import type { BatchContext } from '../../core/member/partition/handler.js';
import type { StreamMessage } from '../../core/protocol/message.js';
import { toNdjson, toText } from './message-line.js';

/** The output formats. */
export const OUTPUTS = ['ndjson', 'text', 'none'] as const;
export type Output = (typeof OUTPUTS)[number];

/** For each output format: the function that makes the line for a message. */
export const LINES: Record<Output, ((message: StreamMessage, context: BatchContext) => string) | undefined> =
  {
    ndjson: toNdjson,
    text: toText,
    none: undefined,
  };
