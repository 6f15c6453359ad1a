import type { StreamConfig } from 'nats';
import type { Config } from '../../config/config.js';
import { SETTINGS } from '../../config/settings.js';
import { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import { partitionWildcard } from '../../protocol/layout.js';
import { decodeLayout, type LayoutRecord } from '../../protocol/layout-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { collide } from './collide.js';
import {
  entryKeeper,
  type LayoutEntry,
  readEntry,
  type StoredLayout,
  tryEntry,
  writeEntry,
} from './layout-entry.js';

const MARK = 'natspoc layout ';
/**
 * Maximum length of a prefix, in characters. The server permits descriptions of 4,096 bytes, and little longer subjects.
 */
const LONGEST_PREFIX = 1_024;
const SHOWN_PREFIX = 64;

const mismatch = (message: string): NatspocError => new NatspocError('layout-mismatch', message);
const unreadable = (place: string): string =>
  `The layout in ${place} cannot be read: it was written by a newer version or another program. Update natspoc; if no newer version runs here, restore the layout.`;

/** The layout as a stream's description. All buckets of the stream must agree with it. */
export function describeLayout({ prefix, partitions, hash }: LayoutRecord): string {
  return MARK + JSON.stringify({ v: RECORD_VERSION, prefix, partitions, hash });
}

/**
 * The layout in a stream's description; undefined if natspoc did not create the stream.
 *
 * @throws NatspocError `layout-mismatch` if the layout cannot be read.
 */
export function describedLayout({ description, name }: StreamConfig): LayoutRecord | undefined {
  if (!description?.startsWith(MARK)) return undefined;
  const layout = decodeLayout(new TextEncoder().encode(description.slice(MARK.length)));
  const place = `the description of stream ${name}`;
  if (layout) return bounded(layout, place);
  throw mismatch(unreadable(place));
}

/**
 * Checks that a stored layout is within the limits of the settings. Otherwise a client that may write to the bucket
 * could fill the memory of each member and publisher.
 *
 * @throws NatspocError `layout-mismatch`.
 */
function bounded(layout: LayoutRecord, place: string): LayoutRecord {
  const { prefix, partitions } = SETTINGS;
  const isBounded =
    partitions.parse(String(layout.partitions)) === layout.partitions &&
    layout.prefix.length <= LONGEST_PREFIX &&
    prefix.parse(layout.prefix) === layout.prefix;
  if (isBounded) return layout;
  const shown = layout.prefix.slice(0, SHOWN_PREFIX);
  throw mismatch(
    `The layout in ${place} is not natspoc's: ${layout.partitions} partitions of ${JSON.stringify(shown)}. Partitions are ${partitions.allowed}.`,
  );
}

const entryOf = (bucket: Bucket, name: string): LayoutEntry<LayoutRecord> => ({
  bucket,
  key: keys.layout,
  decode: (value) => {
    const layout = decodeLayout(value);
    if (layout) return bounded(layout, `bucket ${name}`);
    throw mismatch(unreadable(`bucket ${name}`));
  },
});

/** @throws NatspocError as {@link readEntry}. */
export const readLayout = (bucket: Bucket, name: string, patienceMs: number): Promise<StoredLayout> =>
  readEntry(entryOf(bucket, name), patienceMs);

/** See {@link writeEntry}. */
export const writeLayout = (
  bucket: Bucket,
  name: string,
  layout: LayoutRecord,
  revision: number,
): Promise<LayoutRecord> => writeEntry(entryOf(bucket, name), layout, revision);

/** See {@link tryEntry}. */
export const tryLayout = (
  bucket: Bucket,
  name: string,
  ...args: [layout: LayoutRecord, revision: number]
): ReturnType<typeof tryEntry<LayoutRecord>> => tryEntry(entryOf(bucket, name), ...args);

/** Keeps a layout in its bucket; see {@link entryKeeper}. */
export const layoutKeeper = (bucket: Bucket, name: string, layout: LayoutRecord): LayoutKeeper =>
  entryKeeper(entryOf(bucket, name), layout, (found) => {
    if (found.partitions === layout.partitions && found.prefix === layout.prefix) return undefined;
    return mismatch(
      `Bucket ${name} was recreated while members ran: its layout is ${inWords(found)}, but this member was started with ${inWords(layout)}. Restart the member.`,
    );
  });

/** @throws NatspocError `layout-mismatch` if a given setting differs from the stream. */
export function checkSettings(config: Config, layout: LayoutRecord): void {
  if (config.given.has('partitions') && config.partitions !== layout.partitions) {
    throw mismatch(
      `Stream ${config.stream} has ${layout.partitions} partitions, but ${config.place('partitions')} is ${config.partitions}. ` +
        `All publishers and members of a stream must use the same number. Omit ${config.place('partitions')} to use the stream's number.`,
    );
  }
  if (config.given.has('prefix') && config.prefix !== layout.prefix) {
    throw mismatch(
      `Stream ${config.stream} has the subject prefix ${layout.prefix}, but ${config.place('prefix')} is ${config.prefix}. ` +
        `Omit ${config.place('prefix')} to use the stream's prefix.`,
    );
  }
}

/** @throws NatspocError `layout-mismatch` if the bucket's layout differs from the stream's description. */
export function checkDescription(config: Config, layout: LayoutRecord, described: LayoutRecord): void {
  if (isSame(layout, described)) return;
  throw mismatch(
    `Stream ${config.stream} was created with ${inWords(described)}, but bucket ${config.bucket} says ${inWords(layout)}. ` +
      `Choose the bucket that belongs to the stream with ${config.place('bucket')}.`,
  );
}

/**
 * @param asItIs advice on how to use a stream whose subjects are not natspoc's; undefined if the stream or its bucket
 *   already has a layout.
 * @throws NatspocError `layout-mismatch` if the stream does not listen to all partitions.
 */
export function checkSubjects(
  config: Config,
  layout: LayoutRecord,
  stream: StreamConfig,
  asItIs: string | undefined,
): void {
  if (storesPartitions(stream, layout)) return;
  const prefix = asItIs === undefined ? 'Give its prefix' : `${asItIs}. For partitions, give their prefix`;
  throw mismatch(
    `Stream ${config.stream} listens to ${stream.subjects?.join(', ') || 'nothing'}, which does not cover ${partitionWildcard(layout.prefix)}. ` +
      `${prefix} with ${config.place('prefix')}, or choose another stream with ${config.place('stream')}.`,
  );
}

/** True if the stream stores messages of the layout, with or without tokens after the partition. */
export const storesPartitions = (stream: StreamConfig, layout: LayoutRecord): boolean =>
  listensTo(stream, partitionWildcard(layout.prefix)) || storesTokens(stream, layout);

/** True if the stream stores all messages to the subjects of a pattern. */
export const listensTo = ({ subjects }: StreamConfig, pattern: string): boolean =>
  (subjects ?? []).some((subject) => covers(subject, pattern));

/** The wildcard of the subjects of a layout in which tokens follow the partition. */
export const tokensWildcard = (prefix: string): string => `${partitionWildcard(prefix)}.>`;

/**
 * True if tokens may follow the partition in stored subjects. Such subjects may also come from a mapping or from another
 * stream.
 */
export function storesTokens(stream: StreamConfig, { prefix }: LayoutRecord): boolean {
  const stored = storedSubjects(stream);
  return stored === undefined || stored.some((subject) => collide(subject, tokensWildcard(prefix)));
}

/**
 * Patterns that match all stored subjects. Undefined if the stream copies messages from other streams, because their
 * subjects are unknown.
 */
export function storedSubjects(stream: StreamConfig): string[] | undefined {
  if (stream.sources?.length) return undefined;
  const { subjects = [], subject_transform: transform } = stream;
  // If all subjects of a pattern are mapped, no message keeps its subject.
  const kept = transform ? subjects.filter((subject) => !covers(transform.src || '>', subject)) : subjects;
  return [...kept, ...transformed(stream)];
}

/** The subjects to which a stream maps received messages. A mapping such as `{{partition(8,1)}}` becomes a wildcard token. */
export const transformed = ({ subject_transform: transform }: StreamConfig): string[] =>
  transform ? [transform.dest.replaceAll(/\{\{[^}]*\}\}|\$\d+/g, '*')] : [];

/** True if both layouts describe the same partitions. */
export const isSame = (a: LayoutRecord, b: LayoutRecord): boolean =>
  a.partitions === b.partitions && a.prefix === b.prefix && a.hash === b.hash;

/** A layout as text for messages. */
export const inWords = ({ partitions, prefix }: LayoutRecord): string =>
  `${partitions} ${partitions === 1 ? 'partition' : 'partitions'} of ${prefix}`;

/** True if `pattern` matches every subject that `needed` matches. */
function covers(pattern: string, needed: string): boolean {
  const [have, want] = [pattern.split('.'), needed.split('.')];
  return (
    have.every((token, i) => token === '>' || (i < want.length && (token === '*' || token === want[i]))) &&
    (have.at(-1) === '>' ? have.length <= want.length : have.length === want.length)
  );
}
