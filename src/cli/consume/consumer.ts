import type { Writable } from 'node:stream';
import { batchLimits } from '../../core/config/batch.js';
import type { Config } from '../../core/config/config.js';
import { systemClock } from '../../core/lib/clock.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { escapeControl } from '../../core/lib/text.js';
import { countOf, formatDuration } from '../../core/lib/units.js';
import { GroupMember } from '../../core/member/group-member.js';
import { noteLogger } from '../../core/member/note-logger.js';
import type { Handler, InBatches } from '../../core/member/partition/handler.js';
import { Quota } from '../../core/member/partition/quota.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { hasBegun, hasStream } from '../../core/nats/stream/group-begin.js';
import type { Note } from '../log-line.js';
import { whenCaughtUp } from './caught-up.js';
import { execBatchHandler, execHandler } from './exec.js';
import { recordJob } from './finished-job.js';
import { LineWriter } from './line-writer.js';
import { logEvents } from './log-events.js';
import { describeNewGroup } from './new-group.js';
import type { Output } from './outputs.js';
import { takenByReader, watchReader } from './pipe-output.js';
import { isPipe, PipeReader } from './pipe-reader.js';
import { inSteps, pretendToWork, withLines, writeLines } from './simulated-work.js';
import { streamEnd } from './stream-end.js';

/** Options of a member that the command line runs. */
export interface ConsumerOptions {
  connection: NatsConnection;
  config: Config;
  version: string;
  output: Output;
  stdout: Writable & { fd: number };
  note: Note;
  /** Simulated work per message, in milliseconds. */
  workMs: number;
  /** A command for each message. */
  exec: string | undefined;
  /** The maximum number of messages that one run of the command gets. */
  execBatch: number | undefined;
  /** A handler that was loaded from a module. */
  handler: Handler | InBatches | undefined;
  /** Leave after this many messages. */
  count: number | undefined;
  /** Leave after this many milliseconds. */
  durationMs: number | undefined;
  /** Leave when all messages that were stored before the start have been handled. */
  untilCaughtUp: boolean;
}

/** A running member that the command line has started. */
export interface Consumer {
  readonly member: GroupMember;
  leave(options: { rejoinWithinMs: number | undefined }): Promise<void>;
  /** Resolves when the member has left; rejects with the error that ended it. */
  readonly closed: Promise<void>;
}

/** Joins the group and handles messages. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { config, note, count } = options;
  const startedAt = performance.now();
  const writer = new LineWriter(options.stdout);
  const halted = new Map<number, string>();
  let left = count ?? Number.POSITIVE_INFINITY;
  // Read the end before joining: later messages need not be handled.
  const end = options.untilCaughtUp ? await streamEnd(options.connection, config) : undefined;
  const isNew = !(await hasBegun(options.connection, config));
  const createsStream = isNew && !(await hasStream(options.connection, config));
  let isDone = false;
  let flush = (): void => {};
  const reader = isPipe(options.stdout.fd) ? new PipeReader(options.stdout.fd) : undefined;
  // Find the reader now, because `isGone` reports only a reader that an earlier call has found.
  await reader?.isGone();
  const member = await GroupMember.open(
    {
      ...options,
      handler: handlerOf(options, writer),
      guard: options.handler === undefined ? undefined : 'process',
      barrier: reader ? takenByReader(writer, reader, config.commitIntervalMs) : () => writer.written(),
      logger: noteLogger(note, { debug: Boolean(process.env.DEBUG) }),
      health:
        config.healthPort === undefined ? undefined : { port: config.healthPort, host: config.healthHost },
      quota: count === undefined ? undefined : new Quota(count),
    },
    (events) => {
      flush = logEvents(events, config, note);
      events.on('halted', ({ partition, message }) => halted.set(partition, message));
      // An operator released the halted partition or paused it, and this member has started it again.
      const forget = ({ partition }: { partition: number }): unknown => halted.delete(partition);
      events.on('acquired', forget);
      events.on('unpaused', forget);
      if (count !== undefined) events.on('handled', () => --left === 0 && leave());
    },
  );
  if (createsStream) note(`created stream ${config.stream}, because there was none of this name`);
  if (isNew) void tellNewGroup(options);
  if (member.healthUrl) note(`health checks and metrics at ${member.healthUrl}`);
  // If the reader has closed the pipe or the disk is full, the member hands over and leaves.
  writer.whenClosed(leave);
  const cancels = [
    end === undefined
      ? undefined
      : whenCaughtUp(member, end, () => {
          isDone = true;
          leave();
        }),
    options.durationMs === undefined
      ? undefined
      : systemClock.at(systemClock.now() + options.durationMs, leave),
    reader ? watchReader(writer, reader) : undefined,
  ];
  // The count may have been reached already.
  if (left <= 0) leave();

  function leave(): void {
    member.leave().catch(() => {});
  }
  const closed = member.closed
    .catch((error: unknown) => {
      // If the output failed, the member's error only follows from that failure.
      if (!writer.isClosed) throw error;
    })
    .then(async () => {
      flush();
      const took = formatDuration(performance.now() - startedAt);
      const { handled, withoutKey } = member.counters;
      note(`left after ${countOf(handled, 'message')} in ${took}`);
      if (withoutKey > 0)
        note(
          `warning: ${countOf(withoutKey, 'message')} had no key and were handled in the partitions of their subjects`,
        );
      if (writer.failure) throw writer.failure;
      failIfHalted(halted);
      if (isDone && end !== undefined) await tellJob(options, end);
    })
    .finally(() => {
      flush();
      for (const cancel of cancels) cancel?.();
    });
  return { member, leave: (options) => member.leave(options), closed };
}

/** Logs where the new group starts, if this member has created the group. */
async function tellNewGroup({ connection, config, note }: ConsumerOptions): Promise<void> {
  // The member works without this log line, so an error is ignored.
  const line = await describeNewGroup(connection, config).catch(() => undefined);
  if (line !== undefined) note(line);
}

/** Records that the job is done, after the last commit. */
async function tellJob({ connection, config, note }: ConsumerOptions, until: number): Promise<void> {
  await recordJob(connection, config, until).catch((error: unknown) =>
    note(`warning: could not record that the job is done: ${messageOf(error)}`),
  );
}

/** Builds the handler from its steps. */
function handlerOf(options: ConsumerOptions, writer: LineWriter): Handler | InBatches {
  const { workMs, handler, exec, execBatch, output } = options;
  const write = (bytes: Uint8Array) => writer.writeBytes(bytes);
  const lines = writeLines(output, writer);
  const inBatches =
    exec !== undefined && execBatch !== undefined
      ? {
          handler: execBatchHandler({ command: exec, write }),
          limits: batchLimits({ messages: execBatch }),
        }
      : handler;
  if (typeof inBatches === 'object') return withLines(inBatches, lines);
  const steps = [
    workMs > 0 ? pretendToWork(workMs) : undefined,
    inBatches,
    exec === undefined ? undefined : execHandler({ command: exec, write }),
    lines,
  ];
  return inSteps(steps.filter((step) => step !== undefined));
}

/** @throws NatspocError `handler-failed` if partitions were halted. */
function failIfHalted(halted: ReadonlyMap<number, string>): void {
  const [first] = halted;
  if (!first) return;
  const more = halted.size > 1 ? ` and ${halted.size - 1} more` : '';
  throw new NatspocError('handler-failed', `Gave up p${first[0]}${more}: ${escapeControl(first[1])}.`);
}
