import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { startPatienceMs } from '../client/ask-again.js';
import { type Concern, refuse } from '../client/concern.js';
import { openManager } from '../client/manager.js';
import { findStream } from './creation.js';
import { streamConcerns } from './stream-concerns.js';

const NANOS_PER_MS = 1_000_000;
/** Settings that matter only to readers, or only to the storage of partitions. */
const OF_READERS: ReadonlySet<string> = new Set([
  'retention',
  'subject_transform',
  'max_consumers',
  'max_msgs_per_subject',
]);

/** An existing stream, opened to publish to its own subjects. */
export interface OwnSubjects {
  stream: string;
  subjects: readonly string[];
  /** The JetStream domain of the stream, empty for none. */
  domain: string;
  duplicateWindowMs: number;
  concerns: readonly Concern[];
}

/**
 * Opens an existing stream to publish to its own subjects. Nothing is created.
 *
 * @throws NatspocError `stream-missing`; `layout-mismatch` if a setting of the stream loses published messages.
 */
export async function openOwnSubjects(connection: NatsConnection, config: Config): Promise<OwnSubjects> {
  const manager = await openManager(connection, config);
  const { stream: name } = config;
  const found = await findStream(manager, name, startPatienceMs(config));
  if (!found) {
    const message = `There is no stream ${name}. Messages with subjects of their own need an existing stream. Check ${config.place('stream')}.`;
    throw new NatspocError('stream-missing', message);
  }
  const needs = {
    wildcard: '>',
    partitions: 1,
    hasDefaultConsumers: false,
    another: `choose another stream with ${config.place('stream')}`,
  };
  const concerns = streamConcerns(found.config, needs).filter(({ setting }) => !OF_READERS.has(setting));
  refuse(concerns, ['publish']);
  return {
    stream: name,
    subjects: found.config.subjects ?? [],
    domain: 'domain' in found && typeof found.domain === 'string' ? found.domain : '',
    duplicateWindowMs: found.config.duplicate_window / NANOS_PER_MS,
    concerns,
  };
}
