import type { Config } from '../../core/config/config.js';
import type { Concern } from '../../core/nats/client/concern.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { maxPayloadOf, natsPublishPort } from '../../core/nats/jetstream/pipeline.js';
import { openOwnSubjects } from '../../core/nats/stream/own-subjects.js';
import { openTopology } from '../../core/nats/stream/topology.js';
import { checkPartition } from '../choose-partitions.js';
import type { Note } from '../log-line.js';
import { ConfirmedLog } from './confirmed-log.js';
import { type ChosenInput, checkMessageSize } from './input.js';
import { ProgressDisplay } from './progress.js';
import type { StoredAt, Target } from './report.js';
import { PublishRun, type PublishRunOptions, type PublishSummary } from './run.js';
import { withSubject } from './subject-source.js';

/** Options of {@link publishInput}. */
export interface PublishInputOptions
  extends Pick<
    PublishRunOptions,
    'dedupe' | 'ordered' | 'onFailure' | 'maxMessages' | 'durationMs' | 'signal'
  > {
  connection: NatsConnection;
  config: Config;
  input: ChosenInput;
  /** The partition of all messages. */
  partition: number | undefined;
  /** A template for the subjects of an existing stream. Without it, messages go to the stream's partitions. */
  subject: string | undefined;
  /** The file for a line about each confirmed message. */
  confirmed: string | undefined;
  showsProgress: boolean;
  note: Note;
  /** Warns about settings of the stream. */
  warn: (concerns: readonly Concern[]) => void;
}

/**
 * Opens the stream and publishes the messages of an input to it. A stream with partitions is created if it is missing.
 *
 * @throws NatspocError if the stream cannot be opened, or if the input cannot be published to it.
 */
export async function publishInput(
  options: PublishInputOptions,
): Promise<{ summary: PublishSummary; target: Target }> {
  const { connection, config, input, maxMessages, durationMs, subject = null, note } = options;
  // Refuse bad input before anything is created.
  checkMessageSize(input, maxPayloadOf(connection));
  const log = options.confirmed === undefined ? undefined : new ConfirmedLog(options.confirmed);
  const opened =
    subject === null
      ? await openTopology(connection, config, {
          create: true,
          uses: ['publish'],
          asItIs: 'To publish to the subjects of this stream, give a subject with --subject',
          accept: ({ partitions }) => checkPartition(options.partition, partitions),
        })
      : await openOwnSubjects(connection, config);
  const { stream, domain, duplicateWindowMs, concerns } = opened;
  const { source, kind } = input;
  const endless = kind === 'lines' || durationMs !== undefined || config.rate !== undefined;
  const limit = maxMessages ?? (endless ? undefined : 1);
  let only: StoredAt | undefined;
  const isOnly: PublishRunOptions['onConfirmed'] = (message, partition, sequence, duplicate) => {
    only = {
      partition: subject === null ? partition : null,
      subject: message.subject,
      sequence,
      duplicate,
    };
    log?.add(message, partition, sequence, duplicate);
  };
  const layout = 'layout' in opened ? opened.layout : undefined;
  options.warn(concerns);
  const run = new PublishRun({
    layout,
    subjects: 'subjects' in opened ? opened.subjects : undefined,
    openPort: natsPublishPort(connection, { stream, domain, inboxPrefix: config.inboxPrefix }),
    source: subject === null ? source : withSubject(source, subject),
    rate: config.rate,
    maxMessages: limit,
    durationMs,
    timeoutMs: config.given.has('timeoutMs') ? config.timeoutMs : undefined,
    maxPendingMessages: config.maxPendingMessages,
    dedupe: options.dedupe,
    duplicateWindowMs,
    ordered: options.ordered,
    onFailure: options.onFailure,
    onConfirmed: limit === 1 ? isOnly : log && ((...confirmed) => log.add(...confirmed)),
    signal: options.signal,
    note,
  });
  const summary = await (options.showsProgress ? withProgress(run, maxMessages) : run.run());
  log?.close();
  return { summary, target: { stream, partitions: layout?.partitions ?? null, subject, only } };
}

async function withProgress(run: PublishRun, total: number | undefined): Promise<PublishSummary> {
  const { publisher } = run;
  const display = new ProgressDisplay(process.stderr, () => ({
    confirmed: publisher.counters.confirmed,
    pending: publisher.pending,
    failed: publisher.counters.rejected + publisher.counters.unknown,
    total,
    connected: publisher.connected,
  }));
  try {
    return await run.run();
  } finally {
    display.stop();
  }
}
