import type { StreamConfig } from 'nats';
import type { Config } from '../config.js';
import { NatspocError } from '../errors.js';
import { decodeLayout, encodeRecord, keys, type LayoutRecord, RECORD_VERSION } from '../group/records.js';
import { partitionWildcard } from '../layout.js';
import type { NatsBucket } from './bucket.js';

const MARK = 'natspoc layout ';

/** The layout as a stream's description. All buckets of the stream have to agree with it. */
export function describeLayout({ prefix, partitions, hash }: LayoutRecord): string {
  return MARK + JSON.stringify({ v: RECORD_VERSION, prefix, partitions, hash });
}

/** The layout in a stream's description; undefined where the stream was made by somebody else. */
export function describedLayout({ description }: StreamConfig): LayoutRecord | undefined {
  if (!description?.startsWith(MARK)) return undefined;
  return decodeLayout(new TextEncoder().encode(description.slice(MARK.length)));
}

/**
 * The layout in the bucket; `wanted` is written where there is none and `create` allows it.
 *
 * @throws NatspocError `stream-missing`, `layout-mismatch` where it cannot be read, `unreachable`.
 */
export async function ensureLayout(
  bucket: NatsBucket,
  name: string,
  wanted: LayoutRecord,
  create: boolean,
): Promise<LayoutRecord> {
  const found = await bucket.read(keys.layout);
  if (found.kind === 'found' && found.entry.value) {
    const layout = decodeLayout(found.entry.value);
    if (layout) return layout;
    const message = `The layout in bucket ${name} cannot be read: it was written by a newer version, or by something else.`;
    throw new NatspocError('layout-mismatch', message);
  }
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') {
    throw new NatspocError('unreachable', 'Could not read the layout: the server did not answer in time.');
  }
  if (!create) {
    throw new NatspocError(
      'stream-missing',
      `Bucket ${name} holds no layout yet. Run "natspoc consume" once.`,
    );
  }
  const revision = found.kind === 'found' ? found.entry.revision : 0;
  const written = await bucket.write(keys.layout, encodeRecord(wanted), revision);
  if (written.kind === 'ok') return wanted;
  if (written.kind === 'failed') throw written.error;
  return ensureLayout(bucket, name, wanted, written.kind === 'conflict');
}

/** @throws NatspocError `layout-mismatch` where a setting that somebody gave differs from what the stream has. */
export function checkSettings(config: Config, layout: LayoutRecord): void {
  if (config.given.has('partitions') && config.partitions !== layout.partitions) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} has ${layout.partitions} partitions, but ${config.place('partitions')} is ${config.partitions}. ` +
        `All publishers and consumers of a stream use the same number: without ${config.place('partitions')} it is what the stream has.`,
    );
  }
  if (config.given.has('prefix') && config.prefix !== layout.prefix) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} has the subject prefix ${layout.prefix}, but ${config.place('prefix')} is ${config.prefix}. ` +
        `Without ${config.place('prefix')} it is what the stream has.`,
    );
  }
}

/**
 * Compares the bucket's layout with the stream itself: what its description says, and what it listens to.
 *
 * @throws NatspocError `layout-mismatch`.
 */
export function checkStream(config: Config, layout: LayoutRecord, stream: StreamConfig): void {
  const described = describedLayout(stream);
  if (described && (described.partitions !== layout.partitions || described.prefix !== layout.prefix)) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} was made with ${inWords(described)}, but bucket ${config.bucket} says ${inWords(layout)}. ` +
        `Choose the bucket that belongs to the stream with ${config.place('bucket')}.`,
    );
  }
  const needed = partitionWildcard(layout.prefix);
  if (!stream.subjects.some((subject) => covers(subject, needed))) {
    throw new NatspocError(
      'layout-mismatch',
      `Stream ${config.stream} listens to ${stream.subjects.join(', ') || 'nothing'}, which does not cover ${needed}. Choose another with ${config.place('stream')}.`,
    );
  }
}

const inWords = ({ partitions, prefix }: LayoutRecord): string =>
  `${partitions} ${partitions === 1 ? 'partition' : 'partitions'} of ${prefix}`;

/** True if every subject that `needed` matches is also matched by `pattern`. */
function covers(pattern: string, needed: string): boolean {
  const [have, want] = [pattern.split('.'), needed.split('.')];
  return (
    have.every((token, i) => token === '>' || (i < want.length && (token === '*' || token === want[i]))) &&
    (have.at(-1) === '>' ? have.length <= want.length : have.length === want.length)
  );
}
