import { NatspocError } from '../../lib/errors.js';
import type { StoredMessage, StreamAdmin } from '../../ports/stream-admin.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from '../client/outcome.js';
import { readMessage } from '../jetstream/read-message.js';
import { storedMessage } from '../jetstream/stored-message.js';
import { bucketStream } from '../kv/bucket.js';
import type { Topology } from './topology.js';

/** Reads and deletes messages of a stream on a real server. */
export class NatsStreamAdmin implements StreamAdmin {
  readonly #topology: Topology;
  readonly #bucket: string;

  constructor(topology: Topology, bucket: string) {
    this.#topology = topology;
    this.#bucket = bucket;
  }

  async get(sequence: number): Promise<StoredMessage | undefined> {
    const found = await readMessage(this.#topology, this.#topology.stream, { seq: sequence });
    return found && storedMessage(this.#topology, found);
  }

  async purge(partition: number | null, upTo: number | null): Promise<number> {
    const { manager, stream, reads } = this.#topology;
    this.#refuseKeyed('purge');
    const filters = partition === null ? [reads.all] : reads.of(partition);
    try {
      // A purge up to `seq` keeps the message at `seq`, so `upTo + 1` is requested.
      const below = upTo === null ? {} : { seq: upTo + 1 };
      let purged = 0;
      for (const filter of filters)
        purged += (await manager.streams.purge(stream, { filter, ...below })).purged;
      return purged;
    } catch (error) {
      throw toNatspocError(error, `purge ${stream}`);
    }
  }

  async deleteAll(): Promise<void> {
    const { manager, stream } = this.#topology;
    this.#refuseKeyed('rm');
    // The stream goes first. Positions without messages are harmless, but messages without positions would be handled
    // again.
    for (const name of [stream, bucketStream(this.#bucket)]) {
      try {
        await manager.streams.delete(name);
      } catch (error) {
        if (apiErrorCode(error) !== API_ERRORS.streamNotFound) throw toNatspocError(error, `delete ${name}`);
      }
    }
  }

  /** @throws NatspocError `layout-mismatch` for a keyed group, because other programs use the stream. */
  #refuseKeyed(command: string): void {
    const { keyed, stream } = this.#topology;
    if (!keyed) return;
    const message = `natspoc deletes nothing in stream ${stream}, because this group reads it by key and other programs use it. Use "nats stream ${command} ${stream}".`;
    throw new NatspocError('layout-mismatch', message);
  }
}
