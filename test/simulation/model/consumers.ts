import type { Timeline } from '../../../src/core/testing/timeline.js';
import type { Side } from './connection.js';

/** A consumer that gets no request for this time is deleted by the server. */
const INACTIVE_MS = 30_000;
const NANOS_PER_MS = 1_000_000;
const NO_DATA = new Uint8Array(0);

interface Headers {
  code: number;
  description: string;
  get(name: string): string;
  last(name: string): string;
}

/** What the server sends to an inbox: a status, or a delivery of the stream with its reply subject. */
export interface Sent {
  readonly inbox: string;
  readonly subject: string;
  readonly reply: string;
  readonly data: Uint8Array;
  readonly headers: Headers | undefined;
}

/** The fields of a pull request, as in the JSON that a client sends. */
export interface PullOrder {
  batch: number;
  /** `expires` and `idle_heartbeat` are in nanoseconds. */
  expires: number;
  idle_heartbeat: number;
  max_bytes?: number;
}

/** A stored message. */
export interface Message {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly header: ((name: string) => string) | undefined;
}

/** The progress of a consumer. */
export interface Cursor {
  /** The number of undelivered messages, as the server counts them. */
  readonly pending: number;
  /** Takes the next message. Undefined if there is none yet. */
  next(): Message | undefined;
  /** Counts the undelivered messages again. A server before 2.9.15 does so when it describes the consumer. */
  recount?(): void;
  close(): void;
}

interface Waiting {
  readonly side: Side;
  readonly inbox: string;
  readonly send: (messages: Sent[]) => void;
  readonly expiresAt: number;
  readonly heartbeatMs: number;
  heartbeatAt: number;
  left: number;
  /** How many bytes the request may still get. */
  bytes: number;
}

/** A fault of a consumer: it stops delivering messages, or stops sending anything. */
export type Muted = 'deliveries' | 'everything';

interface Consumer {
  readonly name: string;
  /** The filter as created, or as another client changed it. */
  filter: string;
  readonly start: string;
  cursor: Cursor;
  /** True if the consumer sends sizes of payloads instead of payloads. */
  leavesOut: boolean;
  isChanged: boolean;
  muted: Muted | undefined;
  delivered: number;
  /** How many of the next messages another client gets, because it pulls from the consumer. */
  stolen: number;
  waiting: Waiting[];
  askedAt: number;
  /** True while the next delivery is due later. */
  isPaced: boolean;
}

/**
 * The in-memory pull consumers of a stream, as in nats-server. Requests wait in a queue. It is served round robin, one message each
 * (`waitQueue.pop` in server/consumer.go). Only waiting requests get heartbeats. A request ends when its batch is complete, when it
 * expires, or with its consumer.
 */
export class Consumers {
  /** True if the stream has no leader. Then no request is answered. */
  isLeaderless = false;
  /** The most consumers that can exist. */
  most = Number.POSITIVE_INFINITY;
  /** Sequences that a consumer delivered after another client had changed it. */
  readonly byChanged = new Set<number>();
  created: ((name: string) => void) | undefined;
  readonly #timeline: Timeline;
  readonly #byName = new Map<string, Consumer>();
  #paceMs: number | undefined;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get isSlow(): boolean {
    return this.#paceMs !== undefined;
  }

  /** Sets the time between two deliveries of a consumer, in milliseconds. If undefined, all waiting messages are delivered at once. */
  pace(paceMs: number | undefined): void {
    this.#paceMs = paceMs;
    for (const consumer of [...this.#byName.values()]) {
      consumer.isPaced = false;
      this.#serve(consumer);
    }
  }

  /**
   * Creates a consumer. Returns `taken` if the name exists with another start. Returns `full` if the limit is reached.
   *
   * @param filter the consumer's subject filter.
   * @param start compared with the start of an existing consumer.
   * @param open creates the consumer's cursor. The cursor reports messages that become ready later.
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
        isPaced: false,
      };
      consumer = made;
      this.#byName.set(name, consumer);
    }
    return { pending: consumer.cursor.pending };
  }

  /** Deletes a consumer, and notifies waiting requests. Returns false if there is no such consumer. */
  delete(name: string): boolean {
    const consumer = this.#find(name);
    if (!consumer) return false;
    this.#forget(consumer);
    for (const { inbox, send } of consumer.waiting) send([status(inbox, 409, 'Consumer Deleted')]);
    consumer.waiting = [];
    return true;
  }

  /** The settings of a consumer, and its number of deliveries. Undefined if there is no such consumer. */
  state(
    name: string,
  ):
    | { config: { filter_subject: string; headers_only: boolean }; delivered: number; pending: number }
    | undefined {
    const consumer = this.#find(name);
    if (!consumer) return undefined;
    consumer.cursor.recount?.();
    const { filter, leavesOut, delivered, cursor } = consumer;
    return {
      config: { filter_subject: filter, headers_only: leavesOut },
      delivered,
      pending: cursor.pending,
    };
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** As another client would, changes a consumer to omit payloads. */
  leaveOut(name: string): void {
    const consumer = this.#find(name);
    if (consumer) consumer.leavesOut = consumer.isChanged = true;
  }

  /** As another client would, changes a consumer's filter. */
  redirect(name: string, filter: string, open: (ready: () => void) => Cursor): void {
    const consumer = this.#find(name);
    if (!consumer) return;
    consumer.isChanged = true;
    consumer.filter = filter;
    consumer.cursor.close();
    consumer.cursor = open(() => this.#serve(consumer));
  }

  /** As another client would, pulls the next messages from a consumer. */
  steal(name: string, messages: number): void {
    const consumer = this.#find(name);
    if (consumer) consumer.stolen += messages;
  }

  mute(name: string, muted: Muted): void {
    const consumer = this.#find(name);
    if (consumer) consumer.muted = muted;
  }

  /** Accepts a pull request. Without a consumer, the server answers that there are no responders. */
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
      bytes: order.max_bytes ?? Number.POSITIVE_INFINITY,
      expiresAt: now + order.expires / NANOS_PER_MS,
      heartbeatMs,
      heartbeatAt: now + heartbeatMs,
    };
    consumer.waiting.push(request);
    consumer.askedAt = now;
    this.#serve(consumer);
    if (request.left > 0) this.#lookAfter(consumer, request);
  }

  /** Restarts the server. Consumers in memory are silently gone. */
  forgetAll(): void {
    for (const consumer of [...this.#byName.values()]) {
      consumer.waiting = [];
      // SPEC.md promises nothing if a changed consumer is forgotten before a member can see the change.
      if (!consumer.isChanged) this.#forget(consumer);
    }
  }

  /** Deletes each consumer with this probability. Those that another client has changed are kept: see {@link forgetAll}. */
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

  /** True if a consumer is kept. False if it was deleted now, because it had no request for too long. */
  #isKept(consumer: Consumer): boolean {
    if (this.#timeline.now - consumer.askedAt <= INACTIVE_MS) return true;
    if (consumer.waiting.some(({ side }) => side.open)) return true;
    this.#forget(consumer);
    return false;
  }

  #serve(consumer: Consumer): void {
    if (consumer.muted || consumer.isPaced || !this.#isKept(consumer)) return;
    const { cursor, waiting } = consumer;
    const paceMs = this.#paceMs;
    // One batch for each connection, so messages to its inboxes keep their order.
    const batches = new Map<Side, { send: Waiting['send']; messages: Sent[] }>();
    const answer = (side: Side, send: Waiting['send']): Sent[] => {
      const batch = batches.get(side) ?? { send, messages: [] };
      batches.set(side, batch);
      return batch.messages;
    };
    for (;;) {
      const request = waiting[0];
      if (!request) break;
      // The server notices only at the next message that a request has got its bytes. Large messages can exceed them here.
      const isFull = request.bytes <= 0 && cursor.pending > 0;
      if (request.side.open && isFull) {
        const { inbox, send, left } = request;
        answer(request.side, send).push(status(inbox, 409, 'Message Size Exceeds MaxBytes', left));
        request.left = 0;
      } else if (request.side.open) {
        const message = cursor.next();
        if (!message) break;
        if (consumer.stolen > 0) {
          consumer.stolen--;
          consumer.delivered++;
          continue;
        }
        if (consumer.isChanged) this.byChanged.add(message.sequence);
        request.left--;
        request.bytes -= message.data.length;
        request.heartbeatAt = this.#timeline.now + request.heartbeatMs;
        if (request.left > 0) waiting.push(request);
        answer(request.side, request.send).push(delivery(request.inbox, consumer, message));
      }
      // The request has got its message, or its connection is closed.
      waiting.shift();
      if (paceMs === undefined || batches.size === 0) continue;
      consumer.isPaced = true;
      this.#timeline.after(paceMs, () => {
        if (!consumer.isPaced) return;
        consumer.isPaced = false;
        if (this.#byName.get(consumer.name) === consumer) this.#serve(consumer);
      });
      break;
    }
    for (const { send, messages } of batches.values()) send(messages);
  }

  /** Sends heartbeats to a waiting request. Ends the request when it expires. */
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

/** When the model stored a message, in milliseconds since 1970. Every sequence has a different time. */
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
