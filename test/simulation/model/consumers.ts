import type { Side } from './connection.js';
import type { Timeline } from './timeline.js';

/** The server deletes a consumer that nobody has asked for so long. */
const INACTIVE_MS = 30_000;
const NANOS_PER_MS = 1_000_000;
const NO_DATA = new Uint8Array(0);

interface Headers {
  code: number;
  description: string;
  get(name: string): string;
  /** The last value of a name. */
  last(name: string): string;
}

/** What the server sends to an inbox: a message of the stream with the reply subject of its delivery, or a status. */
export interface Sent {
  readonly inbox: string;
  readonly subject: string;
  readonly reply: string;
  readonly data: Uint8Array;
  readonly headers: Headers | undefined;
}

/** A pull request as the client writes it. */
export interface PullOrder {
  batch: number;
  /** Nanoseconds, both. */
  expires: number;
  idle_heartbeat: number;
}

/** A message as it is stored. */
export interface Message {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  /** By name; undefined: it has none. */
  readonly header: ((name: string) => string) | undefined;
}

/** How far one consumer has come in what it reads. */
export interface Cursor {
  /** Messages that it has still to deliver, as the server counts them. */
  readonly pending: number;
  /** Takes the next one; undefined: there is none, or none yet. */
  next(): Message | undefined;
  close(): void;
}

/** A request that waits at the server. */
interface Waiting {
  readonly side: Side;
  readonly inbox: string;
  readonly send: (messages: Sent[]) => void;
  readonly expiresAt: number;
  readonly heartbeatMs: number;
  heartbeatAt: number;
  left: number;
}

/** What a consumer does no longer, though it should: deliver, or say anything at all. */
export type Muted = 'deliveries' | 'everything';

interface Consumer {
  readonly name: string;
  /** What it is made, or was changed, to deliver. */
  filter: string;
  readonly start: string;
  cursor: Cursor;
  /** Payloads are left out, and their size is told. */
  leavesOut: boolean;
  /** Another client has changed it. */
  isChanged: boolean;
  muted: Muted | undefined;
  delivered: number;
  /** So many of the next messages go to somebody else who pulls from it. */
  stolen: number;
  waiting: Waiting[];
  askedAt: number;
}

/**
 * The pull consumers of a stream as nats-server keeps them, in memory: requests wait in a queue that is served in
 * turns, one message each (`waitQueue.pop` in server/consumer.go); one that waits gets heartbeats, and nobody else
 * does; it ends by its batch, by its expiry, or with its consumer.
 */
export class Consumers {
  /** The stream has no leader: nothing that is asked of it is answered. */
  isLeaderless = false;
  /** So many there may be. */
  most = Number.POSITIVE_INFINITY;
  /** Hears of each one that a member creates. */
  created: ((name: string) => void) | undefined;
  readonly #timeline: Timeline;
  readonly #byName = new Map<string, Consumer>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /**
   * Creates a consumer; `taken`: the name is, by one that starts elsewhere; `full`: there may be no more.
   *
   * @param filter the subject that it is said to deliver.
   * @param start where it starts, by which one is compared with another of its name.
   * @param open makes its cursor; whatever becomes ready later has to be told.
   */
  create(
    name: string,
    filter: string,
    start: string,
    open: (ready: () => void) => Cursor,
  ): { pending: number } | 'taken' | 'full' {
    let consumer = this.#find(name);
    if (consumer && consumer.start !== start) return 'taken';
    if (!consumer) {
      if (this.#byName.size >= this.most) return 'full';
      const made: Consumer = {
        name,
        filter,
        start,
        cursor: open(() => this.#serve(made)),
        leavesOut: false,
        isChanged: false,
        muted: undefined,
        delivered: 0,
        stolen: 0,
        waiting: [],
        askedAt: this.#timeline.now,
      };
      consumer = made;
      this.#byName.set(name, consumer);
    }
    return { pending: consumer.cursor.pending };
  }

  /** Deletes a consumer, and tells those that wait for it. False: it is not there. */
  delete(name: string): boolean {
    const consumer = this.#find(name);
    if (!consumer) return false;
    this.#forget(consumer);
    for (const { inbox, send } of consumer.waiting) send([status(inbox, 409, 'Consumer Deleted')]);
    consumer.waiting = [];
    return true;
  }

  /** How a consumer is set, and how many messages it has delivered; undefined: it is not there. */
  state(
    name: string,
  ): { config: { filter_subject: string; headers_only: boolean }; delivered: number } | undefined {
    const consumer = this.#find(name);
    if (!consumer) return undefined;
    const { filter, leavesOut, delivered } = consumer;
    return { config: { filter_subject: filter, headers_only: leavesOut }, delivered };
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Somebody changes a consumer: from now on it delivers no payloads. */
  leaveOut(name: string): void {
    const consumer = this.#find(name);
    if (consumer) consumer.leavesOut = consumer.isChanged = true;
  }

  /** Somebody changes a consumer: from now on it delivers something else. */
  redirect(name: string, filter: string, open: (ready: () => void) => Cursor): void {
    const consumer = this.#find(name);
    if (!consumer) return;
    consumer.isChanged = true;
    consumer.filter = filter;
    consumer.cursor.close();
    consumer.cursor = open(() => this.#serve(consumer));
  }

  /** Somebody else pulls the next messages from a consumer. */
  steal(name: string, messages: number): void {
    const consumer = this.#find(name);
    if (consumer) consumer.stolen += messages;
  }

  /** From now on a consumer does not do what it should, and nobody is told. */
  mute(name: string, muted: Muted): void {
    const consumer = this.#find(name);
    if (consumer) consumer.muted = muted;
  }

  /** Takes a pull request. Without a consumer nobody listens, and the server says that. */
  pull(name: string, order: PullOrder, side: Side, inbox: string, send: Waiting['send']): void {
    const consumer = this.#find(name);
    if (!consumer) {
      send([status(inbox, 503, '')]);
      return;
    }
    const { now } = this.#timeline;
    const heartbeatMs = order.idle_heartbeat / NANOS_PER_MS;
    const request: Waiting = {
      side,
      inbox,
      send,
      left: order.batch,
      expiresAt: now + order.expires / NANOS_PER_MS,
      heartbeatMs,
      heartbeatAt: now + heartbeatMs,
    };
    consumer.waiting.push(request);
    consumer.askedAt = now;
    this.#serve(consumer);
    if (request.left > 0) this.#lookAfter(consumer, request);
  }

  /** The server restarts: consumers in memory are gone, and nobody is told. */
  forgetAll(): void {
    for (const consumer of [...this.#byName.values()]) {
      consumer.waiting = [];
      // Of one that is forgotten before a member can see the change, SPEC.md promises nothing.
      if (!consumer.isChanged) this.#forget(consumer);
    }
  }

  /** Each one is deleted with this chance, but for those that another client has changed: see {@link forgetAll}. */
  deleteSome(chance: () => boolean): void {
    for (const consumer of [...this.#byName.values()])
      if (chance() && !consumer.isChanged) this.delete(consumer.name);
  }

  #forget(consumer: Consumer): void {
    this.#byName.delete(consumer.name);
    consumer.cursor.close();
  }

  #find(name: string): Consumer | undefined {
    const consumer = this.#byName.get(name);
    return consumer && this.#isKept(consumer) ? consumer : undefined;
  }

  /** Forgets it where nobody has asked for it for too long. */
  #isKept(consumer: Consumer): boolean {
    if (this.#timeline.now - consumer.askedAt <= INACTIVE_MS) return true;
    if (consumer.waiting.some(({ side }) => side.open)) return true;
    this.#forget(consumer);
    return false;
  }

  #serve(consumer: Consumer): void {
    if (consumer.muted || !this.#isKept(consumer)) return;
    const { cursor, waiting } = consumer;
    // One batch for each connection: what goes to several inboxes of it keeps its order.
    const batches = new Map<Side, { send: Waiting['send']; messages: Sent[] }>();
    for (;;) {
      const request = waiting[0];
      if (!request) break;
      if (request.side.open) {
        const message = cursor.next();
        if (!message) break;
        if (consumer.stolen > 0) {
          consumer.stolen--;
          consumer.delivered++;
          continue;
        }
        request.left--;
        request.heartbeatAt = this.#timeline.now + request.heartbeatMs;
        if (request.left > 0) waiting.push(request);
        const { side, send } = request;
        const batch = batches.get(side) ?? { send, messages: [] };
        batches.set(side, batch);
        batch.messages.push(delivery(request.inbox, consumer, message));
      }
      // Served for now, or its connection is closed and no interest is left.
      waiting.shift();
    }
    for (const { send, messages } of batches.values()) send(messages);
  }

  /** Heartbeats and the expiry of a request, as long as it waits. */
  #lookAfter(consumer: Consumer, request: Waiting): void {
    this.#timeline.at(Math.min(request.heartbeatAt, request.expiresAt), () => {
      if (request.left === 0 || !request.side.open || !consumer.waiting.includes(request)) return;
      if (consumer.muted === 'everything') return;
      const { now } = this.#timeline;
      if (now >= request.expiresAt) {
        consumer.waiting.splice(consumer.waiting.indexOf(request), 1);
        request.send([status(request.inbox, 408, 'Request Timeout', request.left)]);
        return;
      }
      if (now >= request.heartbeatAt) {
        request.heartbeatAt = now + request.heartbeatMs;
        request.send([status(request.inbox, 100, 'Idle Heartbeat')]);
      }
      this.#lookAfter(consumer, request);
    });
  }
}

/** When the model stores a message, milliseconds since 1970: each has another time. */
export const storedAt = (sequence: number): number => 1_700_000_000_000 + 10 * sequence;

function delivery(inbox: string, consumer: Consumer, message: Message): Sent {
  const { subject, sequence, data, header } = message;
  const { name, cursor, leavesOut } = consumer;
  const get = leavesOut ? sizeOnly : header;
  return {
    inbox,
    subject,
    reply: `$JS.ACK.EVENTS.${name}.1.${sequence}.${++consumer.delivered}.${storedAt(sequence) * 1_000_000}.${cursor.pending}`,
    data: leavesOut ? NO_DATA : data,
    headers: get && { code: 0, description: '', get, last: get },
  };
}

const sizeOnly = (name: string): string => (name === 'Nats-Msg-Size' ? '1' : '');

function status(inbox: string, code: number, description: string, unserved?: number): Sent {
  const get = (): string => (unserved === undefined ? '' : String(unserved));
  return { inbox, subject: inbox, reply: '', data: NO_DATA, headers: { code, description, get, last: get } };
}
