import { AckPolicy, DeliverPolicy, type JsMsg, type KV, type NatsConnection, nuid } from 'nats';
import type { ConsumeBench } from './consumers.js';
import type { Contender } from './rounds.js';

/** How long a lock outlives its process, in milliseconds. natspoc's leases have the same limit. */
export const LOCK_TTL_MS = 10_000;
/** Simulated work for each message while consumers die or leave, in milliseconds. */
export const WORK_MS = 20;
const LOOK_AGAIN_MS = 20;
const nanos = (ms: number): number => ms * 1_000_000;

/** Opens a bucket of locks. The server deletes each lock after {@link LOCK_TTL_MS}. */
export function openLocks(connection: NatsConnection, name: string): Promise<KV> {
  return connection.jetstream().views.kv(name, { ttl: LOCK_TTL_MS });
}

/** The simplest way to handle one message of a partition at a time: create a key, do the work, delete the key, acknowledge. */
export class LockLoop {
  readonly #locks: KV;
  readonly #owner = nuid.next();
  readonly #queues = new Map<string, Promise<void>>();
  readonly #handle: (message: JsMsg) => void | Promise<void>;
  #stopped = false;

  constructor(locks: KV, handle: (message: JsMsg) => void | Promise<void>) {
    this.#locks = locks;
    this.#handle = handle;
  }

  /** Handles a message as soon as the partition in its subject can be locked. */
  take(message: JsMsg): void {
    const lock = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const before = this.#queues.get(lock) ?? Promise.resolve();
    this.#queues.set(
      lock,
      before.then(() => this.#handleUnder(lock, message)),
    );
  }

  /** Finishes running messages. Waiting messages get a nak. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#queues.values());
  }

  async #handleUnder(lock: string, message: JsMsg): Promise<void> {
    if (this.#stopped) return message.nak();
    while (!(await this.#created(lock))) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      message.working();
    }
    await this.#handle(message);
    await this.#locks.delete(lock);
    message.ack();
  }

  async #created(lock: string): Promise<boolean> {
    try {
      await this.#locks.create(lock, this.#owner);
      return true;
    } catch {
      return false;
    }
  }
}

/** Creates or finds the consumer that all processes of this kind share. */
export async function sharedConsumer(
  connection: NatsConnection,
  stream: string,
  name: string,
): Promise<void> {
  const manager = await connection.jetstreamManager();
  await manager.consumers.add(stream, {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(LOCK_TTL_MS),
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: 1_000,
  });
}

/** The contender: a lock in a KV bucket for each message. */
export function kvLock(bench: ConsumeBench): Contender {
  const { connection, manager, stream, messages } = bench;
  const measure = async (): Promise<number> => {
    const name = `locks-${nuid.next()}`;
    const locks = await openLocks(connection, name);
    await sharedConsumer(connection, stream, name);
    const consumer = await connection.jetstream().consumers.get(stream, name);
    let [count, startMs] = [0, 0];
    let done: (perSecond: number) => void = () => {};
    const finished = new Promise<number>((resolve) => {
      done = resolve;
    });
    const loop = new LockLoop(locks, () => {
      if (count === 0) startMs = performance.now();
      if (++count === messages) done((messages / (performance.now() - startMs)) * 1_000);
    });
    const callback = (message: JsMsg): void => loop.take(message);
    const running = await consumer.consume({ max_messages: 1_000, callback });
    const perSecond = await finished;
    running.stop();
    await loop.stop();
    await manager.consumers.delete(stream, name);
    await locks.destroy();
    return perSecond;
  };
  return { name: 'kv lock', measure };
}
