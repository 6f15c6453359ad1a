import { spawn } from 'node:child_process';
import { createInbox, headers, type JetStreamManager, type NatsConnection } from 'nats';
import { PublishRun } from '../../src/cli/publish/run.js';
import { generatedSource } from '../../src/cli/publish/source.js';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import type { Contender } from './rounds.js';

/** What all contenders share. */
export interface PublishBench {
  connection: NatsConnection;
  manager: JetStreamManager;
  stream: string;
  layout: { prefix: string; partitions: number };
  sizeBytes: number;
  messages: number;
  inFlight: number;
}

/** Creates a new stream for a measurement. A full stream is slower, and a purged stream still remembers message ids for two minutes. */
export async function renewStream({ manager, stream }: PublishBench): Promise<void> {
  const { config } = await manager.streams.info(stream);
  await manager.streams.delete(stream);
  await manager.streams.add(config);
}

function withNewStream(name: string, bench: PublishBench, run: () => Promise<number>): Contender {
  return {
    name,
    async measure() {
      await renewStream(bench);
      return run();
    },
  };
}

const perSecond = (messages: number, startMs: number) => (messages / (performance.now() - startMs)) * 1_000;

function subjects({ layout }: PublishBench): string[] {
  return Array.from({ length: layout.partitions }, (_, partition) => `${layout.prefix}.p.${partition}`);
}

/**
 * The yardstick: `nc.publish` in a loop, with one wildcard reply inbox. Answers are counted but not decoded. There are no deadlines and no
 * retries.
 */
export function bareLoop(bench: PublishBench, withId: boolean): Contender {
  const name = withId ? 'bare loop, message ids' : 'bare loop';
  const { connection, messages, inFlight } = bench;
  const targets = subjects(bench);
  const payload = Buffer.alloc(bench.sizeBytes, 'x');
  const run = () =>
    new Promise<number>((resolve) => {
      const startMs = performance.now();
      const inbox = `${createInbox()}.`;
      const unique = createInbox();
      let [sent, answered] = [0, 0];
      const pump = () => {
        while (sent < messages && sent - answered < inFlight) {
          const subject = targets[sent % targets.length] ?? '';
          const reply = inbox + sent;
          if (withId) {
            const ids = headers();
            ids.set('Nats-Msg-Id', `${unique}-${sent}`);
            connection.publish(subject, payload, { reply, headers: ids });
          } else {
            connection.publish(subject, payload, { reply });
          }
          sent++;
        }
      };
      const subscription = connection.subscribe(`${inbox}*`, {
        callback: () => {
          answered++;
          if (answered === messages) {
            subscription.unsubscribe();
            resolve(perSecond(messages, startMs));
          } else {
            pump();
          }
        },
      });
      pump();
    });
  return withNewStream(name, bench, run);
}

/** The client's own `js.publish`. */
export function jetStreamPublish(bench: PublishBench): Contender {
  const { connection, messages, inFlight } = bench;
  const targets = subjects(bench);
  const payload = Buffer.alloc(bench.sizeBytes, 'x');
  const run = async () => {
    const js = connection.jetstream();
    const startMs = performance.now();
    let sent = 0;
    const lane = async () => {
      while (sent < messages) await js.publish(targets[sent++ % targets.length] ?? '', payload);
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return perSecond(messages, startMs);
  };
  return withNewStream('js.publish', bench, run);
}

/** natspoc's publisher as a library. */
export function natspocLibrary(bench: PublishBench, dedupe: boolean): Contender {
  const name = dedupe ? 'natspoc --dedupe' : 'natspoc';
  const run = async () => {
    const startMs = performance.now();
    const summary = await new PublishRun({
      layout: bench.layout,
      openPort: natsPublishPort(bench.connection, { stream: bench.stream }),
      source: generatedSource({ sizeBytes: bench.sizeBytes }, {}),
      maxMessages: bench.messages,
      maxPendingMessages: bench.inFlight,
      timeoutMs: 30_000,
      dedupe,
      onFailure: 'stop',
    }).run();
    if (summary.confirmed !== bench.messages)
      throw summary.firstError ?? new Error('not all messages were confirmed');
    return perSecond(bench.messages, startMs);
  };
  return withNewStream(name, bench, run);
}

/** `natspoc publish` as a process, from spawn to exit. */
export function natspocProcess(
  bench: PublishBench,
  url: string,
  program: string,
  dedupe: boolean,
): Contender {
  const args = [program, 'publish', '--count', String(bench.messages), '--size', String(bench.sizeBytes)];
  args.push('--server', url, '--stream', bench.stream, '--max-pending', String(bench.inFlight), '--json');
  if (dedupe) args.push('--dedupe');
  const run = () =>
    new Promise<number>((resolve, reject) => {
      const startMs = performance.now();
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      child.once('error', reject);
      child.once('exit', (code) => {
        if (code === 0) resolve(perSecond(bench.messages, startMs));
        else reject(new Error(`natspoc publish ended with ${code}`));
      });
    });
  return withNewStream(dedupe ? 'process --dedupe' : 'process', bench, run);
}
