import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import { messageOf } from '../errors.js';
import { joinGroup } from '../join.js';
import type { Member } from '../member.js';
import type { NatsConnection } from '../nats/connection.js';
import { formatMemoryLine, MemoryMonitor } from '../observe/memory.js';
import type { MemberStats } from '../observe/stats.js';
import { formatCount, formatDuration } from '../units.js';
import type { Handler } from './handler.js';
import { LineWriter } from './line-writer.js';
import { LINES, type Output } from './outputs.js';
import { describeReport } from './status-lines.js';

/** What a consumer that writes lines is made of. */
export interface ConsumerOptions {
  connection: NatsConnection;
  config: Config;
  name: string | undefined;
  version: string;
  output: Output;
  stdout: Writable;
  /** Takes one line for people. */
  note: (line: string) => void;
  /** Pretended work a message, milliseconds. */
  workMs: number;
  /** Leave after this many messages. */
  count: number | undefined;
  /** Leave after this many milliseconds. */
  durationMs: number | undefined;
}

/** A running consumer. */
export interface Consumer {
  leave(): Promise<void>;
  /** Resolves when it has left, rejects with what ended it. */
  readonly closed: Promise<void>;
}

/** A wait that ends early, with an error, when the handler has to stop. */
function work(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Joins the group and writes a line for each message, in the order of each partition. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { config, note, workMs } = options;
  const startedAt = Date.now();
  const writer = new LineWriter(options.stdout);
  const toLine = LINES[options.output];
  const write: Handler = (message, context) => (toLine ? writer.write(toLine(message, context)) : undefined);
  const handler: Handler =
    workMs > 0
      ? async (m, c) => {
          await work(workMs, c.signal);
          await write(m, c);
        }
      : write;
  const memory = new MemoryMonitor();
  const name = options.name ?? `${hostname()}-${process.pid}`;
  let handled = 0;
  let failed = 0;

  const stats = (member: Member): MemberStats => ({
    v: 1,
    session: member.id ?? '',
    name,
    group: config.group,
    stream: config.stream,
    host: hostname(),
    pid: process.pid,
    version: options.version,
    startedAt: new Date(startedAt).toISOString(),
    uptimeMs: Date.now() - startedAt,
    partitions: member.partitions,
    handled,
    failed,
    memory: memory.stats(),
  });
  const member = await joinGroup({
    connection: options.connection,
    config,
    name,
    version: options.version,
    handler,
    barrier: () => writer.written(),
    failure: { maxAttempts: 1, backoff: { baseMs: 100, maxMs: 10_000 }, afterwards: 'halt' },
    stats,
    events: {
      report: (report) => note(describeReport(report, config.group)),
      handled: () => {
        handled++;
        if (handled === options.count) void leave();
      },
      attemptFailed: (partition, message, attempt, error, then) => {
        failed++;
        note(
          `p${partition} message ${message.sequence}, attempt ${attempt} failed (${then}): ${messageOf(error)}`,
        );
      },
    },
  });
  const cancelMemory = every(config.memoryIntervalMs, () => note(formatMemoryLine(memory.sample())));
  const cancelDuration =
    options.durationMs === undefined
      ? undefined
      : systemClock.at(systemClock.now() + options.durationMs, () => void leave());
  // Whoever reads has had enough: hand over and go.
  options.stdout.on('error', () => void leave());

  let leaving: Promise<void> | undefined;
  function leave(): Promise<void> {
    leaving ??= member.leave();
    return leaving;
  }
  const closed = member.closed
    .then(() => {
      note(`left after ${formatCount(handled)} messages in ${formatDuration(Date.now() - startedAt)}`);
    })
    .finally(() => {
      cancelMemory();
      cancelDuration?.();
      memory.stop();
    });
  return { leave, closed };
}

function every(intervalMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, intervalMs);
  return () => clearInterval(timer);
}
