import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
  nuid,
} from 'nats';
import type { Config } from '../../src/core/config/config.js';
import { libraryOf } from './built.js';
import type { Contender } from './rounds.js';

/** The stream that all contenders read. It is filled in advance. */
export interface ConsumeBench {
  connection: NatsConnection;
  manager: JetStreamManager;
  stream: string;
  /** The client's own consumers: one for each of these subjects. */
  filters: readonly string[];
  config: Config;
  messages: number;
}

/** Measures the time from the first message until all messages are handled and the server has all acknowledgements or commits. */
class Stopwatch {
  #startMs = 0;
  #count = 0;
  readonly #messages: number;
  #done: () => void = () => {};
  readonly #all = new Promise<void>((resolve) => {
    this.#done = resolve;
  });

  constructor(messages: number) {
    this.#messages = messages;
  }

  count(): void {
    if (this.#count === 0) this.#startMs = performance.now();
    if (++this.#count === this.#messages) this.#done();
  }

  /** Resolves with the messages a second. `isKnown`: the server has all acknowledgements or commits. */
  async perSecond(isKnown: () => boolean | Promise<boolean> = () => true): Promise<number> {
    await this.#all;
    for (;;) {
      const askedAt = performance.now();
      if (await isKnown()) break;
      // With thousands of partitions a check is slow. Without a pause, the checks would slow down the commits.
      const tookMs = performance.now() - askedAt;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, 5 * tookMs)));
    }
    return (this.#messages / (performance.now() - this.#startMs)) * 1_000;
  }
}

/** Options of a contender that uses the client's own consumers. */
interface ClientOptions {
  name: string;
  config: Partial<ConsumerConfig>;
  /** How many messages the client requests in advance for each consumer. */
  maxMessages: number;
  onMessage: (message: JsMsg) => void;
  /** True if the measurement ends only when the server has processed all acknowledgements. The contender must then read all messages. */
  untilAcknowledged?: boolean;
}

/** One pull consumer for each filter, read with the client's own `consume()`. */
function clientConsumers(bench: ConsumeBench, options: ClientOptions): Contender {
  const { connection, manager, stream, filters, messages } = bench;
  const measure = async (): Promise<number> => {
    const watch = new Stopwatch(messages);
    const names: string[] = [];
    const running: ConsumerMessages[] = [];
    for (const filter of filters) {
      const name = `bench-${nuid.next()}`;
      await manager.consumers.add(stream, {
        name,
        filter_subject: filter,
        deliver_policy: DeliverPolicy.All,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: 60_000_000_000,
        ...options.config,
      });
      names.push(name);
    }
    for (const name of names) {
      const consumer = await connection.jetstream().consumers.get(stream, name);
      const callback = (message: JsMsg): void => {
        options.onMessage(message);
        watch.count();
      };
      running.push(await consumer.consume({ max_messages: options.maxMessages, callback }));
    }
    const isKnown = async (): Promise<boolean> => {
      if (!options.untilAcknowledged) return true;
      const infos = await Promise.all(names.map((name) => manager.consumers.info(stream, name)));
      return infos.every(({ num_ack_pending }) => num_ack_pending === 0);
    };
    const perSecond = await watch.perSecond(isKnown);
    for (const each of running) each.stop();
    for (const name of names) await manager.consumers.delete(stream, name);
    return perSecond;
  };
  return { name: options.name, measure };
}

/** The yardstick: a loop without acknowledgements and positions, which does nothing with a message. */
export function bareLoop(bench: ConsumeBench, maxMessages = 1_024): Contender {
  const config = { ack_policy: AckPolicy.None };
  return clientConsumers(bench, { name: 'bare loop', config, maxMessages, onMessage: () => {} });
}

/** The usual program: an acknowledgement for each message. */
export function explicitAck(bench: ConsumeBench): Contender {
  const config = { ack_policy: AckPolicy.Explicit, max_ack_pending: 20_000 };
  return clientConsumers(bench, {
    name: 'explicit ack',
    config,
    maxMessages: 1_024,
    onMessage: (message) => message.ack(),
    untilAcknowledged: true,
  });
}

/** Strict order, enforced by the server: each consumer has one message in flight. */
export function strictOrder(bench: ConsumeBench): Contender {
  const config = { ack_policy: AckPolicy.Explicit, max_ack_pending: 1 };
  return clientConsumers(bench, {
    name: 'max_ack_pending 1',
    config,
    maxMessages: 64,
    onMessage: (message) => message.ack(),
  });
}

let groups = 0;
const newGroup = (): string => `bench-${process.pid}-${++groups}`;

/**
 * natspoc as a library, with a handler that does nothing.
 *
 * @param folder the `dist` folder of the build, for a comparison of two builds.
 */
export function natspocLibrary(bench: ConsumeBench, name = 'natspoc', folder?: string): Contender {
  const measure = async (): Promise<number> => {
    const watch = new Stopwatch(bench.messages);
    const { GroupMember } = await libraryOf(folder);
    const member = await GroupMember.open({
      connection: bench.connection,
      config: { ...bench.config, group: newGroup(), maxAttempts: 1 },
      version: '0.0.0',
      handler: () => watch.count(),
    });
    const perSecond = await watch.perSecond(() =>
      member.partitions.every(({ position, committed }) => committed === position),
    );
    await member.leave();
    return perSecond;
  };
  return { name, measure };
}

/** `natspoc consume --output ndjson` into a file, as a process: from spawn to exit. */
export function natspocProcess(bench: ConsumeBench, url: string, program: string): Contender {
  const measure = async (): Promise<number> => {
    const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
    try {
      const args = [program, 'consume', '--server', url, '--stream', bench.config.stream];
      args.push('--group', newGroup(), '--output', 'ndjson', '--count', String(bench.messages));
      const startMs = performance.now();
      const stdout = openSync(join(folder, 'out.ndjson'), 'w');
      const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'ignore'] });
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`natspoc consume ended with ${code}`);
      return (bench.messages / (performance.now() - startMs)) * 1_000;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  return { name: 'ndjson to a file', measure };
}
