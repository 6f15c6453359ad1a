import type { BatchContext } from '../../core/member/partition/handler.js';
import type { StreamMessage } from '../../core/protocol/message.js';
import { toNdjson, toText } from './message-line.js';

/** The output formats. */
export const OUTPUTS = ['ndjson', 'text', 'none'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Makes the line for a message, by output format. */
export const LINES: Record<Output, ((message: StreamMessage, context: BatchContext) => string) | undefined> =
  {
    ndjson: toNdjson,
    text: toText,
    none: undefined,
  };
