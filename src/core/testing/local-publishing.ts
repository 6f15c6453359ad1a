import type { OpenPublishPort } from '../ports/publishing.js';
import { MESSAGE_ID_HEADER } from '../protocol/message.js';
import type { LocalProcess } from './local-process.js';
import type { MessageLog } from './message-log.js';

/** The default size limit of a server, in bytes. */
const MAX_PAYLOAD = 1_048_576;

/** What a publisher needs to reach the log. */
export interface LocalPublishing {
  log: MessageLog;
  process: LocalProcess;
  /** The time of a message, in milliseconds since 1970. */
  timestampMs: () => number;
}

/** Opens ports that store each message at once, and confirm it asynchronously. */
export function localPublishPort({ log, process, timestampMs }: LocalPublishing): OpenPublishPort {
  return (events) => ({
    maxPayload: MAX_PAYLOAD,
    send: (subject, token, block, data) => {
      const headers = decodeHeaders(block);
      const { [MESSAGE_ID_HEADER]: id } = headers;
      // The program can reuse its buffer, so the data is copied.
      const stored = { subject, headers, data: data.slice(), timestampMs: timestampMs() };
      const { sequence, duplicate } = log.append(stored, id);
      process.later(() => events.confirmed(token, sequence, duplicate));
      return true;
    },
    close: () => {},
  });
}

function decodeHeaders(block: Uint8Array | undefined): Record<string, string> {
  const lines = block ? Buffer.from(block).toString().split('\r\n').slice(1) : [];
  return Object.fromEntries(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()]] : [];
    }),
  );
}
