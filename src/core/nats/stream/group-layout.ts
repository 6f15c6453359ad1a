import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import {
  decodeGroupLayout,
  type GroupLayoutRecord,
  hasOwnPartitions,
} from '../../protocol/layout-records.js';
import { tokensOf } from '../../protocol/message-key.js';
import { decodeStart } from '../../protocol/position-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { readAgain } from '../kv/read-again.js';
import { collide } from './collide.js';
import { constantKey } from './constant-key.js';
import { entryKeeper, type LayoutEntry, readEntry, type StoredLayout, writeEntry } from './layout-entry.js';

/**
 * The stored layout of a keyed group. `layout` is undefined if the group has no layout yet. Its first member then writes
 * one.
 *
 * @param bucket undefined if the bucket does not exist.
 * @returns undefined for a group that uses the stream's own layout.
 * @throws NatspocError `config` for a filter without a key, and the errors of {@link readGroupLayout}.
 */
export async function keyedLayout(
  bucket: Bucket | undefined,
  config: Config,
  patienceMs: number,
): Promise<StoredLayout<GroupLayoutRecord> | undefined> {
  const stored = bucket
    ? await readGroupLayout(bucket, config.group, patienceMs)
    : { layout: undefined, revision: 0 };
  if (stored.layout && !hasOwnPartitions(stored.layout)) return stored;
  if (config.key !== undefined) return { ...stored, layout: undefined };
  if (config.filter === undefined) return undefined;
  const message = `A filter needs a key: give ${config.option('key')} as well, such as subject:2, or leave out ${config.place('filter')}.`;
  throw new NatspocError('config', message);
}

/**
 * Writes the layout of a new keyed group.
 *
 * @throws NatspocError `layout-mismatch` if another member has written a different layout.
 */
export async function beginGroup(
  bucket: Bucket,
  config: Config,
  layout: GroupLayoutRecord,
  revision: number,
): Promise<void> {
  const written = await writeEntry(entryOf(bucket, config.group), layout, revision);
  if (!isSame(written, layout)) throw mismatch(config, written, layout);
}

/** The stored layout of a group; undefined if the group has no key and was never resized. */
export const readGroupLayout = (
  bucket: Bucket,
  group: string,
  patienceMs: number,
): Promise<StoredLayout<GroupLayoutRecord>> => readEntry(entryOf(bucket, group), patienceMs);

/** Keeps the layout of a keyed group in its bucket; see {@link entryKeeper}. */
export const groupLayoutKeeper = (bucket: Bucket, config: Config, layout: GroupLayoutRecord): LayoutKeeper =>
  entryKeeper(entryOf(bucket, config.group), layout, (found) =>
    isSame(found, layout) ? undefined : mismatch(config, found, layout),
  );

const entryOf = (bucket: Bucket, group: string): LayoutEntry<GroupLayoutRecord> => ({
  bucket,
  key: keys.groupLayout(group),
  decode: (value) => {
    const layout = decodeGroupLayout(value);
    if (layout) return layout;
    throw new NatspocError(
      'layout-mismatch',
      `The layout of group ${group} cannot be read: it was written by a newer version or another program. ` +
        `Update natspoc; if no newer version runs here, delete ${keys.groupLayout(group)} from the bucket and start a member with the group's key.`,
    );
  },
});

/**
 * The layout of the group, or the layout that its first member requests. `note`: settings that are not used, for example
 * because the group was resized since.
 *
 * @param subjects patterns that match all subjects stored in the stream; empty if unknown.
 * @throws NatspocError `layout-mismatch` if the member asks for a different layout; `config` if the stream does not fit
 *   the layout.
 */
export function agreeOnGroup(
  config: Config,
  stored: GroupLayoutRecord | undefined,
  subjects: readonly string[],
): { layout: GroupLayoutRecord; note?: string } {
  const agreed = withStored(config, stored);
  checkFits(config, agreed.layout, subjects);
  const constant = describeConstant(config, agreed.layout, subjects);
  if (constant !== undefined && !stored) throw new NatspocError('config', constant);
  const notes = [agreed.note, unusedPrefix(config, agreed.layout), constant].filter(
    (note) => note !== undefined,
  );
  return { layout: agreed.layout, ...(notes.length > 0 && { note: notes.join('; ') }) };
}

/** Returns a note if the configured prefix is not used. */
function unusedPrefix(config: Config, { key, filter, prefix }: GroupLayoutRecord): string | undefined {
  if (!config.given.has('prefix') || config.prefix === prefix) return undefined;
  const reads = filter === '>' ? 'all subjects of the stream' : filter;
  return `${config.place('prefix')} is not used: group ${config.group} has the key ${key} and reads ${reads}; ${config.option('filter')} restricts a new group`;
}

function withStored(
  config: Config,
  stored: GroupLayoutRecord | undefined,
): { layout: GroupLayoutRecord; note?: string } {
  const { key = '', filter = '>', partitions } = config;
  const asked: GroupLayoutRecord = { v: RECORD_VERSION, key, filter, partitions, hash: 'fnv1a32' };
  if (!stored) return { layout: asked };
  const wanted = { ...stored };
  if (config.given.has('key')) wanted.key = asked.key;
  if (config.given.has('filter')) wanted.filter = asked.filter;
  if (config.given.has('partitions')) wanted.partitions = asked.partitions;
  // After a resize, members with the earlier number of partitions must be able to restart.
  const isOld = stored.epoch !== undefined && wanted.partitions !== stored.partitions;
  if (isOld) wanted.partitions = stored.partitions;
  if (!isSame(wanted, stored)) throw mismatch(config, stored, wanted);
  if (!isOld) return { layout: stored };
  const note = `${config.place('partitions')} is not used: group ${config.group} was resized to ${stored.partitions} partitions`;
  return { layout: stored, note };
}

const isSame = (a: GroupLayoutRecord, b: GroupLayoutRecord): boolean =>
  a.key === b.key &&
  a.filter === b.filter &&
  a.partitions === b.partitions &&
  a.hash === b.hash &&
  a.epoch === b.epoch;

const inWords = ({ key, filter, partitions }: GroupLayoutRecord): string =>
  `${partitions} ${partitions === 1 ? 'partition' : 'partitions'} by ${key}${filter === '>' ? '' : ` of ${filter}`}`;

function mismatch(config: Config, stored: GroupLayoutRecord, asked: GroupLayoutRecord): NatspocError {
  return new NatspocError(
    'layout-mismatch',
    `Group ${config.group} has ${inWords(stored)}, but this member asks for ${inWords(asked)}. ` +
      `Leave these settings out to use the group's settings, or choose another group with ${config.option('group')}.`,
  );
}

/**
 * Checks that a group can begin with a key.
 *
 * @throws NatspocError `layout-mismatch` if the group has started with the partitions of the stream's own layout. A
 *   start from an older version contains no key, and counts as one without a key.
 */
export async function checkUnused(bucket: Bucket, config: Config, patienceMs: number): Promise<void> {
  const start = await readAgain(bucket, keys.start(config.group), 'the start of the group', patienceMs);
  if (!start?.value || typeof decodeStart(start.value)?.key === 'string') return;
  throw new NatspocError(
    'layout-mismatch',
    `Group ${config.group} handles the partitions of the stream's own layout, and with a key its positions would refer to other messages. ` +
      `Choose another group with ${config.option('group')}.`,
  );
}

/** @throws NatspocError `config` if the stream does not fit the layout. */
function checkFits(config: Config, { key, filter }: GroupLayoutRecord, subjects: readonly string[]): void {
  if (subjects.length > 0 && !subjects.some((subject) => collide(subject, filter))) {
    throw new NatspocError(
      'config',
      `Stream ${config.stream} has no subjects that match ${filter}: it listens to ${subjects.join(', ')}. Check ${config.place('filter')}.`,
    );
  }
  const most = Math.max(0, ...tokensOf(key));
  const read = subjects.filter((subject) => collide(subject, filter));
  const shortest =
    read.length > 0 ? read.map((subject) => Math.min(tokens(subject), tokens(filter))) : [tokens(filter)];
  if (shortest.some((length) => length >= most)) return;
  const patterns = filter === '>' ? read : [filter];
  throw new NatspocError(
    'config',
    `The key ${key} names token ${most}, but no subject of ${patterns.join(', ')} has that many tokens. Check ${config.place('key')}.`,
  );
}

/** Describes the problem if the key is the same in every message and the group has several partitions. */
function describeConstant(
  config: Config,
  { key, filter, partitions }: GroupLayoutRecord,
  subjects: readonly string[],
): string | undefined {
  const found = constantKey(
    key,
    filter,
    subjects.filter((subject) => collide(subject, filter)),
  );
  if (!found || partitions === 1) return undefined;
  const advice = found.better ? `Use ${found.better}` : 'Use another key';
  return `The key ${key} is "${found.value}" in every message, so one partition would handle all messages. ${advice}, or one partition. Check ${config.place('key')}.`;
}

/** The maximum number of tokens of a subject that matches a pattern. */
const tokens = (pattern: string): number =>
  pattern.endsWith('>') ? Number.POSITIVE_INFINITY : pattern.split('.').length;
