import type { RedriveTarget } from '../../ports/dead-letters.js';
import type { StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';
import { REDRIVEN_HEADER } from '../../protocol/dead-letter.js';
import type { Original } from '../../protocol/dead-letter-original.js';
import { partitionSubject } from '../../protocol/layout.js';
import { KeptMessages } from '../jetstream/kept-messages.js';
import type { Topology } from './topology.js';

/** The stream that dead letters go back to, on a real server. */
export class NatsRedriveTarget implements RedriveTarget {
  readonly #kept: KeptMessages;
  readonly #prefix: string;

  constructor(topology: Topology, timeoutMs: number) {
    this.#kept = new KeptMessages(topology, topology.stream, timeoutMs);
    this.#prefix = topology.layout.prefix;
  }

  store(partition: number, { headers, data }: Original, id: string): Promise<StoreOutcome> {
    const subject = partitionSubject(this.#prefix, partition);
    if (data.length <= this.#kept.room(headers, id)) {
      return this.#kept.store({ subject, headers, data }, id, isCopyOf({ subject, headers, data }));
    }
    // As large as the server takes: without what was added to it.
    const { [REDRIVEN_HEADER]: _times, ...bare } = headers;
    return this.#kept.store({ subject, headers: bare, data }, undefined, () => false);
  }
}

const isCopyOf =
  (sent: StoredCopy) =>
  (stored: StoredCopy): boolean =>
    stored.subject === sent.subject &&
    Buffer.compare(stored.data, sent.data) === 0 &&
    Object.entries(sent.headers).every(([name, value]) => stored.headers[name] === value);
