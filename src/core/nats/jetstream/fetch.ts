import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  createInbox,
  type JetStreamManager,
  nuid,
} from 'nats';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { listen } from '../client/listen.js';
import { isFull, isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import { PLACEMENT_MS, PLACEMENTS, within } from '../client/placement.js';
import { watchConnection } from '../client/watch-connection.js';
import { parseDelivery } from './delivery.js';
import type { ReadMessage } from './read-message.js';
import { Turns } from './turns.js';
import { fetchWithoutConsumer } from './without-consumer.js';

/** The server deletes the consumer after this time, in case our request to delete it is lost. */
const INACTIVE_THRESHOLD_NS = 5_000_000_000;
const MAX_BATCH = 20_000;
/** Number of attempts to fetch all messages. A purge or a limit can remove messages during an attempt. */
const WHOLE_ATTEMPTS = 3;

/** What to fetch. */
export interface FetchOptions {
  stream: string;
  filter: string;
  start: Pick<ConsumerConfig, 'deliver_policy'> &
    Partial<Pick<ConsumerConfig, 'opt_start_seq' | 'opt_start_time'>>;
  /** Maximum number of messages; 0: only count the messages. */
  limit: number;
  /** True to omit payloads. The header `Nats-Msg-Size` contains the size of an omitted payload. */
  headersOnly?: boolean;
  timeoutMs: number;
}

/** The result of a fetch. */
export interface Fetched {
  messages: ReadMessage[];
  /** Number of matching messages when the fetch began. */
  available: number;
  /** True if `available` is an estimate, because the stream had no room for a consumer. */
  isEstimate?: boolean;
  /** The server's wall clock minus ours, in milliseconds, accurate to half a round trip. */
  serverAheadMs: number;
  /**
   * True if the server did not answer in time, or the connection was closed. If false, missing messages were removed
   * during the fetch.
   */
  timedOut: boolean;
}

const turns = new WeakMap<JetStreamManager, Turns>();

/**
 * Reads stored messages once, through a temporary consumer. The result lacks messages that did not arrive in time.
 *
 * If the stream has reached its limit of consumers, tries again when no other fetch is running. Without room even then,
 * reads without a consumer.
 *
 * @throws NatspocError if the stream cannot be read (no stream, no permission, no answer).
 */
export async function fetchMessages(handles: NatsHandles, options: FetchOptions): Promise<Fetched> {
  const known = turns.get(handles.manager) ?? new Turns();
  turns.set(handles.manager, known);
  try {
    return await known.together((until) => fetchByConsumer(handles, options, until));
  } catch (error) {
    if (!isFull(error)) throw error;
    try {
      return await known.alone((until) => fetchByConsumer(handles, options, until));
    } catch (again) {
      const fetched = isFull(again) ? await fetchWithoutConsumer(handles, options) : undefined;
      if (fetched) return fetched;
      throw again;
    }
  }
}

/** @param until receives the deletion of the consumer. */
async function fetchByConsumer(
  handles: NatsHandles,
  options: FetchOptions,
  until: (deleted: Promise<unknown>) => void,
): Promise<Fetched> {
  const { connection, manager, inboxPrefix } = handles;
  const { stream, filter, start, limit, headersOnly } = options;
  const consumer: Partial<ConsumerConfig> = {
    filter_subject: filter,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE_THRESHOLD_NS,
    ...(headersOnly && { headers_only: true }),
    ...start,
  };
  const { info, askedAt } = await create(handles, stream, consumer, options.timeoutMs);
  const { name } = info;
  const serverAheadMs = Date.parse(info.created) - (askedAt + Date.now()) / 2;
  const wanted = Math.min(limit, info.num_pending);
  const messages: Fetched['messages'] = [];
  let timedOut = false;
  try {
    for (let before = -1; messages.length < wanted && messages.length > before; ) {
      before = messages.length;
      await collect(Math.min(wanted - before, MAX_BATCH));
    }
  } catch (error) {
    // The client throws if the connection is closing.
    throw toNatspocError(error, `read ${stream}`);
  } finally {
    if (!connection.isClosed()) {
      const deleted = manager.consumers.delete(stream, name).catch(() => {
        // Best effort: the server deletes an inactive consumer anyway.
      });
      until(deleted);
    }
  }
  return { messages, available: info.num_pending, serverAheadMs, timedOut };

  function collect(batch: number): Promise<void> {
    const until = messages.length + batch;
    return new Promise((resolve, reject) => {
      const next = `${manager.getOptions().apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${name}`;
      const inbox = createInbox(inboxPrefix);
      const subscription = listen(connection, inbox, {
        message: (message) => {
          const delivery = message.reply === undefined ? undefined : parseDelivery(message.reply);
          // Any other message is a status that ends the request, for example because no message is left.
          if (message.subject === inbox || !delivery) return finish();
          const { subject, headers, data } = message;
          const { streamSequence: sequence, timestampMs: atMs } = delivery;
          messages.push({ subject, headers, data, sequence, atMs });
          if (messages.length >= until) finish();
        },
        failed: finish,
      });
      // The server does not answer a forbidden request. Only the connection's status shows the refusal.
      const unwatch = watchConnection(connection, {
        refused: (operation, subject) => {
          if (operation === 'publish' && subject === next) refuse(subject);
        },
        closed: giveUp,
      });
      // The calls above throw if the connection is closing. So the timer starts after them.
      const timer = setTimeout(giveUp, options.timeoutMs);
      function giveUp(): void {
        timedOut = true;
        finish();
      }
      function finish(): void {
        clearTimeout(timer);
        unwatch();
        subscription.unsubscribe();
        resolve();
      }
      function refuse(subject: string): void {
        const message = `Could not read ${stream}: not permitted to publish ${subject}.`;
        reject(new NatspocError('not-permitted', message));
        finish();
      }
      connection.publish(next, JSON.stringify({ batch, no_wait: true }), { reply: inbox });
    });
  }
}

/** Why a fetch got no answer, as text. */
export const whyTimedOut = ({ connection }: NatsHandles): string =>
  connection.isClosed() ? 'the connection to NATS was lost' : 'the server did not answer in time';

/** True if all requested messages arrived. */
export const isWhole = ({ messages, available }: Fetched, limit: number): boolean =>
  messages.length >= Math.min(available, limit);

/**
 * Like {@link fetchMessages}, but throws instead of returning an incomplete result. For example, a group with missing
 * entries would seem to have no partitions.
 *
 * @throws NatspocError `unreachable` if messages are missing. Also throws the errors of {@link fetchMessages}.
 */
export async function fetchAll(handles: NatsHandles, options: FetchOptions): Promise<Fetched> {
  for (let attempt = 1; ; attempt++) {
    const fetched = await fetchMessages(handles, options);
    if (isWhole(fetched, options.limit)) return fetched;
    if (!fetched.timedOut && attempt < WHOLE_ATTEMPTS) continue;
    const why = fetched.timedOut ? whyTimedOut(handles) : 'it changes too fast';
    throw new NatspocError('unreachable', `Could not read ${options.stream} completely: ${why}.`);
  }
}

/**
 * Creates the consumer. Without an answer, tries again with another name, which can place the consumer on another
 * server.
 */
async function create(
  { manager }: NatsHandles,
  stream: string,
  consumer: Partial<ConsumerConfig>,
  timeoutMs: number,
): Promise<{ info: ConsumerInfo; askedAt: number }> {
  for (let attempt = 1; ; attempt++) {
    const askedAt = Date.now();
    const name = `natspoc-fetch-${nuid.next()}`;
    try {
      const placing = manager.consumers.add(stream, { ...consumer, name });
      return { info: await within(placing, Math.min(timeoutMs, PLACEMENT_MS)), askedAt };
    } catch (error) {
      if (!isUnknownOutcome(error) || attempt === PLACEMENTS) throw toNatspocError(error, `read ${stream}`);
    }
  }
}
