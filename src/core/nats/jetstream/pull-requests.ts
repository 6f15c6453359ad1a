import { createInbox, type Msg } from 'nats';
import { systemClock } from '../../lib/clock.js';
import { messageOf } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import type { Order, PullBudget } from './pull-budget.js';
import type { RequestLimits } from './request-limits.js';

/** Converts milliseconds to nanoseconds, which are the server's unit. */
export const nanosOf = (ms: number): number => ms * 1_000_000;

interface Consumer {
  stream: string;
  name: string;
  heartbeatMs: number;
}

/** Sends the pull requests of a budget. Tells the budget how many messages of an ended request were not sent. */
export class PullRequests {
  /** The subject of the requests. Its prefix contains the JetStream domain, if any. */
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

  /** When a request was last sent after a rest, on this process's clock. In a rest, no request is pending. */
  get endedRestAt(): number {
    return this.#endedRestAt;
  }

  fill(): void {
    while (!this.#isOver) {
      const isRest = !this.#demand.isWaiting;
      const order = this.#demand.order();
      if (!order) return;
      if (isRest) this.#endedRestAt = (this.#handles.clock ?? systemClock).now();
      this.#send(order);
    }
  }

  /** True for a status message from the server. Deliveries have subjects of the stream instead. */
  isAnswer(message: Msg): boolean {
    return message.subject.startsWith(this.inbox);
  }

  /**
   * Handles the status of a refused or ended request. Since 2.10, the server also reports a complete request.
   *
   * @returns true if more messages should be requested now.
   */
  receiveStatus(message: Msg): boolean {
    const code = message.headers?.code ?? 0;
    const text = message.headers?.description ?? '';
    const size = Number(message.subject.slice(this.inbox.length + 1));
    if (code === 409 && this.#limits.learn(text)) {
      this.#demand.fallShort(size, false);
      return true;
    }
    // 408: the request expired. 409 "maxbytes": it reached its byte limit. 409 "batch completed": all of its messages
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
    // An idle reader lets all of its requests expire before it sends one again. The server sends heartbeats for each
    // pending request, so one is cheaper.
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
      // Status messages arrive at the reply subject, so it carries the size of the request.
      this.#handles.connection.publish(this.subject, JSON.stringify(request), {
        reply: `${this.inbox}.${batch}`,
      });
    } catch (error) {
      // The connection is closing. Nothing is thrown, because the caller may be a handler call that has just ended.
      this.#fail(messageOf(error));
    }
  }
}
