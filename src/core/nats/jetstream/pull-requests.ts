import { createInbox, type Msg } from 'nats';
import { systemClock } from '../../lib/clock.js';
import { messageOf } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import type { Order, PullBudget } from './pull-budget.js';
import type { RequestLimits } from './request-limits.js';

/** Converts milliseconds to nanoseconds, which are the server's unit. */
export const nanosOf = (ms: number): number => ms * 1_000_000;

/** The consumer that receives the requests, and the interval of the server's heartbeats. */
interface Consumer {
  stream: string;
  name: string;
  heartbeatMs: number;
}

/**
 * Sends the pull requests that a budget decides on, and reports to the budget which requests ended before all of their
 * messages arrived.
 */
export class PullRequests {
  /** The subject to which requests are sent. If there is a JetStream domain, the prefix of the subject contains it. */
  readonly subject: string;
  /** Answers arrive below this subject. */
  readonly inbox: string;
  readonly #handles: NatsHandles;
  readonly #heartbeatMs: number;
  readonly #demand: PullBudget;
  readonly #limits: RequestLimits;
  readonly #fail: (reason: string) => void;
  #isOver = false;
  #endedRestAt = Number.NEGATIVE_INFINITY;

  /** @param fail called when the reader has to end, with the reason. */
  constructor(
    handles: NatsHandles,
    { stream, name, heartbeatMs }: Consumer,
    demand: PullBudget,
    limits: RequestLimits,
    fail: (reason: string) => void,
  ) {
    this.subject = `${handles.manager.getOptions().apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${name}`;
    this.inbox = createInbox(handles.inboxPrefix);
    this.#handles = handles;
    this.#heartbeatMs = heartbeatMs;
    this.#demand = demand;
    this.#limits = limits;
    this.#fail = fail;
  }

  stop(): void {
    this.#isOver = true;
  }

  /** When a request was last sent while no other request was pending, on this process's clock. */
  get endedRestAt(): number {
    return this.#endedRestAt;
  }

  /** Sends requests until the budget needs no more. */
  fill(): void {
    while (!this.#isOver) {
      const isRest = !this.#demand.isWaiting;
      const order = this.#demand.order();
      if (!order) return;
      if (isRest) this.#endedRestAt = (this.#handles.clock ?? systemClock).now();
      this.#send(order);
    }
  }

  /**
   * True for a status message from the server. The subject of a status message is below the inbox, while deliveries have
   * subjects of the stream.
   */
  isAnswer(message: Msg): boolean {
    return message.subject.startsWith(this.inbox);
  }

  /**
   * Handles the status message of a request that was refused, or that ended. Since 2.10, the server also reports that a request ended
   * because all of its messages were sent.
   *
   * @returns true if more messages should be requested now.
   */
  receiveStatus(message: Msg): boolean {
    const code = message.headers?.code ?? 0;
    const text = message.headers?.description ?? '';
    // The last token of the reply subject is the size of the request.
    const size = Number(message.subject.slice(this.inbox.length + 1));
    if (code === 409 && this.#limits.learn(text)) {
      this.#demand.fallShort(size, false);
      return true;
    }
    // 408: the request expired. 409 with "maxbytes" or "batch completed": the request reached its byte limit, or all of its messages
    // were sent. Any other status ends the reader.
    if (code !== 408 && !(code === 409 && /maxbytes|batch completed/i.test(text))) {
      this.#fail(`${code} ${text}`.trim());
      return false;
    }
    const unserved = Number(message.headers?.get('Nats-Pending-Messages') || Number.NaN);
    if (Number.isNaN(unserved)) {
      this.#fail(`${code} ${text} without a count`);
      return false;
    }
    this.#demand.fallShort(unserved, code === 409 && unserved === size);
    // An idle reader waits until all of its requests have expired, and then sends only one request. The server sends
    // heartbeats for each pending request, so one request is cheaper.
    return code !== 408 || !this.#demand.isWaiting;
  }

  #send({ batch, maxBytes }: Order): void {
    const { expiresMs } = this.#limits;
    const request = {
      batch,
      expires: nanosOf(expiresMs),
      // The server refuses a heartbeat interval longer than half of the request's expiry time.
      idle_heartbeat: nanosOf(Math.min(this.#heartbeatMs, expiresMs / 2)),
      ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    };
    try {
      // The server sends status messages to the reply subject, so this subject carries the size of the request.
      this.#handles.connection.publish(this.subject, JSON.stringify(request), {
        reply: `${this.inbox}.${batch}`,
      });
    } catch (error) {
      // The connection is closing. The caller may be a handler call that has just ended. A handler call must not get the
      // error of a closing connection.
      this.#fail(messageOf(error));
    }
  }
}
