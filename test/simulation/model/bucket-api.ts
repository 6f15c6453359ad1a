import type { ConsumerConfig } from 'nats';
import { API_ERRORS } from '../../../src/core/nats/client/outcome.js';
import { KV_OPERATION } from '../../../src/core/nats/kv/bucket.js';
import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import type { Timeline } from '../../../src/core/testing/timeline.js';
import { apiError, ask } from './ask.js';
import type { Connection, Side } from './connection.js';
import type { Muted, PullOrder, Sent } from './consumers.js';
import type { Random } from './random.js';
import type { Server } from './server.js';
import { noWatchFaults, WatchCursor } from './watch-cursor.js';

export const BUCKET = 'leases';
/** The stream of the bucket. */
export const BUCKET_STREAM = `KV_${BUCKET}`;
const SUBJECT = `$KV.${BUCKET}.`;
const NO_DATA = new Uint8Array(0);

/** The faults of one member's writes. Probabilities are from 0 to 1. */
export interface WriteFaults {
  /** All writes are lost. */
  blocked: boolean;
  /** Probability that a write is applied but its answer is lost. */
  loseAnswer: number;
  /** Probability that a write is applied up to `delayMs` late, even after its sender has given up. */
  delay: number;
  delayMs: number;
  /** Probability that a write is applied at once but answered up to `delayMs` late. */
  slowAnswer: number;
  /** Probability of the answer "wrong last sequence" to a write with the right sequence. Half of these writes are applied. */
  conflict: number;
}

const noWriteFaults = (): WriteFaults => ({
  blocked: false,
  loseAnswer: 0,
  delay: 0,
  delayMs: 0,
  slowAnswer: 0,
  conflict: 0,
});

/** A write as the client sends it. */
export interface Write {
  subject: string;
  data: Uint8Array;
  header: (name: string) => string;
}

/** A stored message in an API answer. */
export interface StoredEntry {
  subject: string;
  seq: number;
  data: Uint8Array;
  header: { get(name: string): string };
}

/** What the models of one member use of the simulation. */
export interface ClientPorts {
  timeline: Timeline;
  random: Random;
  server: Server;
  connection: Connection;
}

/** One member's requests to the stream behind the bucket. */
export class BucketApi {
  readonly writeFaults = noWriteFaults();
  readonly watchFaults = noWatchFaults();
  isUnanswered = false;
  readonly #ports: ClientPorts;
  readonly #writer: string;
  #watching = '';
  readonly #placed = new Map<string, number>();

  constructor(ports: ClientPorts, writer: string) {
    this.#ports = ports;
    this.#writer = writer;
  }

  createWatch({ name = '', filter_subject: filter = '' }: Partial<ConsumerConfig>): Promise<{
    num_pending: number;
  }> {
    const { timeline, random, server, connection } = this.#ports;
    const { watchFaults: faults } = this;
    this.#watching = name;
    return ask(connection, (answer, side) => {
      const { cluster, store } = server;
      const at = cluster.placeWatch(side.at);
      if (at === undefined) return;
      if (faults.isRefused) {
        answer({ error: apiError(API_ERRORS.consumersExceeded, 'maximum consumers') });
        return;
      }
      this.#placed.set(name, at);
      const created = server.watchers.create(name, filter, filter, (ready) => {
        const prefix = filter.slice(SUBJECT.length, -1);
        return new WatchCursor({ timeline, random, store, cluster, at, faults }, SUBJECT, prefix, ready);
      });
      const tell = (): void =>
        answer({ value: { num_pending: typeof created === 'object' ? created.pending : 0 } });
      if (faults.delayMs > 0) timeline.after(random.between(0, faults.delayMs), tell);
      else tell();
    });
  }

  deleteWatch(name: string): Promise<boolean> {
    const { server, connection } = this.#ports;
    return ask(connection, (answer, side) => {
      if (server.cluster.sees(side.at, this.#placed.get(name) ?? side.at))
        answer({ value: server.watchers.delete(name) });
    });
  }

  pull(
    name: string,
    order: PullOrder,
    inbox: string,
    send: (side: Side) => (messages: Sent[]) => void,
  ): void {
    const { server, connection } = this.#ports;
    const { cluster } = server;
    connection.send((side) => {
      const at = this.#placed.get(name) ?? side.at;
      if (!cluster.passes(side.at, at)) return;
      server.watchers.pull(name, order, side, inbox, (messages) => {
        if (cluster.passes(at, side.at)) send(side)(messages);
      });
    });
  }

  /** Deletes the watch's consumer, so the watch restarts. */
  cutWatch(): void {
    this.#ports.server.watchers.delete(this.#watching);
  }

  /** The server silently stops serving the watch. */
  muteWatch(muted: Muted): void {
    this.#ports.server.watchers.mute(this.#watching, muted);
  }

  /** The newest entry that matches the filter: a key or a prefix. */
  newest(filter: string): Promise<StoredEntry> {
    const { server, connection } = this.#ports;
    const key = filter.slice(SUBJECT.length);
    return ask<StoredEntry>(connection, (answer, side) => {
      const view = server.cluster.reader(side.at);
      if (!view || this.isUnanswered) return;
      const entry = key.endsWith('>') ? view.newestBelow(key.slice(0, -1)) : view.get(key);
      if (entry) answer({ value: asStored(entry) });
      else answer({ error: apiError(API_ERRORS.messageNotFound, 'no message found') });
    });
  }

  /**
   * Writes an entry if its newest revision is the expected one.
   *
   * @returns the server's acknowledgement.
   */
  write({ subject, data, header }: Write, timeoutMs: number): Promise<Uint8Array> {
    const { timeline, random, server, connection } = this.#ports;
    const faults = this.writeFaults;
    const key = subject.slice(SUBJECT.length);
    const value = header(KV_OPERATION) === '' ? data : null;
    const expected = Number(header('Nats-Expected-Last-Subject-Sequence'));
    return ask<Uint8Array>(
      connection,
      (answer, side) => {
        const { store } = server;
        const { generation } = store;
        const fate = server.cluster.writer(side.at);
        const apply = (): Uint8Array => this.#apply(key, value, expected);
        const tell = (ack: Uint8Array): void => {
          if (fate === 'applied') answer({ value: ack });
        };
        if (faults.blocked || fate === 'lost') return;
        if (faults.delay > 0 && random.chance(faults.delay)) {
          timeline.after(random.between(0, faults.delayMs), () => {
            if (generation === store.generation) tell(apply());
          });
          return;
        }
        if (faults.conflict > 0 && random.chance(faults.conflict)) {
          if (random.chance(0.5)) apply();
          tell(wrongLastSequence());
          return;
        }
        const ack = apply();
        if (faults.loseAnswer > 0 && random.chance(faults.loseAnswer)) return;
        if (faults.slowAnswer > 0 && random.chance(faults.slowAnswer)) {
          timeline.after(random.between(0, faults.delayMs), () => tell(ack));
        } else tell(ack);
      },
      timeoutMs,
    );
  }

  #apply(key: string, value: BucketEntry['value'], expected: number): Uint8Array {
    const revision = this.#ports.server.store.write(key, value, expected, this.#writer);
    return revision === undefined ? wrongLastSequence() : encode({ stream: BUCKET_STREAM, seq: revision });
  }
}

const encode = (body: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(body));

const wrongLastSequence = (): Uint8Array =>
  encode({
    error: { code: 400, err_code: API_ERRORS.wrongLastSequence, description: 'wrong last sequence' },
  });

function asStored({ key, revision, value }: BucketEntry): StoredEntry {
  const get = (name: string): string => (value === null && name === KV_OPERATION ? 'DEL' : '');
  return { subject: `${SUBJECT}${key}`, seq: revision, data: value ?? NO_DATA, header: { get } };
}
