import { AckPolicy, type ConsumerConfig, type ConsumerInfo, createInbox, type Msg, nuid } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { listen } from '../client/listen.js';
import { isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import { PLACEMENT_MS, PLACEMENTS, within } from '../client/placement.js';
import { watchConnection } from '../client/watch-connection.js';
import { type DeliveryInfo, parseDelivery } from './delivery.js';

/** After this time the server deletes the consumer, in case our deletion is lost. */
const INACTIVE_THRESHOLD_NS = 5_000_000_000;
/** One request asks for at most this many messages. */
const MAX_BATCH = 20_000;
/** So often what there is may go away while it is read, by a purge or a limit, before that is an error. */
const WHOLE_ATTEMPTS = 3;

/** What to fetch, once. */
export interface FetchOptions {
  stream: string;
  filter: string;
  start: Pick<ConsumerConfig, 'deliver_policy'> &
    Partial<Pick<ConsumerConfig, 'opt_start_seq' | 'opt_start_time'>>;
  /** At most this many messages; 0: only count them. */
  limit: number;
  /** Payloads are left out and their size is told in `Nats-Msg-Size`. */
  headersOnly?: boolean;
  timeoutMs: number;
}

/** What a fetch brought. */
export interface Fetched {
  messages: { message: Msg; delivery: DeliveryInfo }[];
  /** How many there were when the fetch began, fetched or not. */
  available: number;
  /** The server's wall clock less ours, milliseconds, give or take half of a round trip. */
  serverAheadMs: number;
  /** The server did not answer within the timeout; otherwise what is missing has gone meanwhile. */
  timedOut: boolean;
}

/**
 * Reads stored messages once, through a consumer that lives as long as the call. What has not come within the
 * timeout is left out.
 *
 * @throws NatspocError where the consumer cannot be created: no stream, no permission, no answer.
 */
export async function fetchMessages(handles: NatsHandles, options: FetchOptions): Promise<Fetched> {
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
  } finally {
    if (!connection.isClosed()) {
      manager.consumers.delete(stream, name).catch(() => {
        // Best effort: the server deletes it after the inactivity threshold.
      });
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
          // Anything but a delivery is the end of the request: nothing more, a limit, an error.
          if (message.subject === inbox || !delivery) return finish();
          messages.push({ message, delivery });
          if (messages.length >= until) finish();
        },
        failed: finish,
      });
      // A request that is not permitted is never answered: the connection hears of it instead.
      const unwatch = watchConnection(connection, {
        refused: (operation, subject) => {
          if (operation === 'publish' && subject === next) refuse(subject);
        },
      });
      // Last: a connection that is being closed throws above, and nothing is left to end then.
      const timer = setTimeout(() => {
        timedOut = true;
        finish();
      }, options.timeoutMs);
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

/** Whether everything came that was asked for. */
export const isWhole = ({ messages, available }: Fetched, limit: number): boolean =>
  messages.length >= Math.min(available, limit);

/**
 * Reads stored messages once, as {@link fetchMessages} does, and all of them: half of a group, or of the partitions,
 * would look like a group in trouble, or like one without any.
 *
 * @throws NatspocError `unreachable` where some did not come, and what {@link fetchMessages} throws.
 */
export async function fetchAll(handles: NatsHandles, options: FetchOptions): Promise<Fetched> {
  for (let attempt = 1; ; attempt++) {
    const fetched = await fetchMessages(handles, options);
    if (isWhole(fetched, options.limit)) return fetched;
    if (!fetched.timedOut && attempt < WHOLE_ATTEMPTS) continue;
    const why = fetched.timedOut ? 'the server did not answer in time' : 'it changes too fast';
    throw new NatspocError('unreachable', `Could not read ${options.stream} completely: ${why}.`);
  }
}

/** Creates the consumer, elsewhere where the first place does not answer. */
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
