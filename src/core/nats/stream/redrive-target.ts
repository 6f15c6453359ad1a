import type { RedriveTarget } from '../../ports/dead-letters.js';
import type { StoredCopy } from '../../ports/keeping-stream.js';
import { REDRIVEN_HEADER } from '../../protocol/dead-letter.js';
import { partitionSubject } from '../../protocol/layout.js';
import { keptMessages } from '../jetstream/kept-messages.js';
import type { Topology } from './topology.js';

/** The stream that dead letters go back to, on a real server. */
export function natsRedriveTarget(topology: Topology, timeoutMs: number): RedriveTarget {
  const kept = keptMessages(topology, topology.stream, timeoutMs);
  return {
    store(partition, { headers, data }, id) {
      const subject = partitionSubject(topology.layout.prefix, partition);
      if (data.length <= kept.room(headers, id))
        return kept.store({ subject, headers, data }, id, isCopyOf({ subject, headers, data }));
      // A message of the maximum size: without the header that was added.
      const { [REDRIVEN_HEADER]: _times, ...bare } = headers;
      return kept.store({ subject, headers: bare, data }, undefined, () => false);
    },
  };
}

const isCopyOf =
  (sent: StoredCopy) =>
  (stored: StoredCopy): boolean =>
    stored.subject === sent.subject &&
    Buffer.compare(stored.data, sent.data) === 0 &&
    Object.entries(sent.headers).every(([name, value]) => stored.headers[name] === value);
