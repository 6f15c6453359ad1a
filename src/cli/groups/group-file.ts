import { NatspocError } from '../../core/lib/errors.js';
import { asObject, decode, isCount, orNull, parseObject } from '../../core/lib/json.js';
import { decodeGroupLayout, type GroupLayoutRecord } from '../../core/protocol/layout-records.js';
import { decodeStart, type StartRecord } from '../../core/protocol/position-records.js';
import {
  isId,
  isPartitionCount,
  isPositive,
  isText,
  isTrue,
  MARK,
} from '../../core/protocol/record-format.js';

const FORMAT = 'natspoc-groups';
const VERSION = 1;

/** A position in a file: the sequence of the last handled message of a partition. */
export interface FilePosition {
  partition: number;
  sequence: number;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** At most this many messages were dropped before they were handled; absent: none. */
  trimmed?: number | undefined;
  /** True if a seek has moved the position since the last resize. */
  sought?: true | undefined;
}

/** When an operator deleted messages, none of this partition waited up to this sequence; see `ClearedRecord`. */
export interface FileCleared {
  partition: number;
  sequence: number;
  /** Up to this sequence, waiting messages were deleted; absent: none. */
  purged?: number | undefined;
}

/** A group in a file. */
export interface FileGroup {
  group: string;
  partitions: number;
  /** The layout of a keyed or resized group; null: the group has the partitions of the stream. */
  layout: GroupLayoutRecord | null;
  /** The start of partitions that have no position; null: not recorded. */
  start: StartRecord | null;
  positions: FilePosition[];
  /** What operators have deleted; empty in files of older versions. */
  cleared: FileCleared[];
}

/** The groups of a stream, as "groups export" writes them. */
export interface GroupFile {
  stream: string;
  /** When the stream was created, ISO 8601 on the server's clock; null: unknown. */
  createdAt: string | null;
  groups: FileGroup[];
}

/** A file as a JSON document. The field `exportedAt` is only for people. */
export const groupFileJson = (file: GroupFile): object => ({
  format: FORMAT,
  v: VERSION,
  exportedAt: new Date().toISOString(),
  ...file,
});

/**
 * Parses the text of a file.
 *
 * @param name of the file, for messages.
 * @throws NatspocError `usage` with the first mistake in the text.
 */
export function parseGroupFile(text: Uint8Array, name: string): GroupFile {
  const refuse = (why: string): NatspocError => new NatspocError('usage', `${name}: ${why}.`);
  const fields = parseObject(text);
  if (fields?.format !== FORMAT) throw refuse('it is not a file of "natspoc groups export"');
  if (fields.v !== VERSION) throw refuse('a newer version of natspoc wrote it');
  const head = decode(fields, { stream: isText, createdAt: orNull(isText) });
  if (!head || !Array.isArray(fields.groups)) throw refuse('its stream or its groups are missing');
  const groups = fields.groups.map((each: unknown, i) => {
    const group = groupIn(each);
    if (typeof group === 'string') throw refuse(`group ${i + 1}: ${group}`);
    return group;
  });
  const twice = groups.find(({ group }, i) => groups.findIndex((each) => each.group === group) < i);
  if (twice) throw refuse(`it has group ${twice.group} twice`);
  return { ...head, groups };
}

const encoder = new TextEncoder();
const bytesOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** The group that a JSON value describes, or the mistake in the value. */
function groupIn(value: unknown): FileGroup | string {
  const fields = asObject(value);
  const head = decode(fields, { group: isId, partitions: isPartitionCount });
  if (!fields || !head) return 'its name or its number of partitions is not valid';
  const layout = fields.layout === null ? null : decodeGroupLayout(bytesOf(fields.layout));
  if (layout === undefined || (layout && layout.partitions !== head.partitions) || layout?.next)
    return 'its layout is not valid';
  const start = fields.start === null ? null : decodeStart(bytesOf(fields.start));
  if (start === undefined) return 'its start is not valid';
  const { partitions } = head;
  const positions = byPartition(fields.positions, partitions, 'position', (each): FilePosition | undefined =>
    decode(each, { partition: isCount, sequence: isCount }, OPTIONAL),
  );
  if (typeof positions === 'string') return positions;
  const cleared = byPartition(fields.cleared ?? [], partitions, 'deletion', (each): FileCleared | undefined =>
    decode(each, { partition: isCount, sequence: isCount }, { purged: isPositive }),
  );
  if (typeof cleared === 'string') return cleared;
  return { ...head, layout, start, positions, cleared };
}

/** The decoded values of a list, at most one for each partition, or the mistake in the list. */
function byPartition<T extends { partition: number }>(
  list: unknown,
  partitions: number,
  what: string,
  decoded: (value: unknown) => T | undefined,
): T[] | string {
  if (!Array.isArray(list)) return `its ${what}s are missing`;
  const known = new Map<number, T>();
  for (const each of list) {
    const value = decoded(each);
    if (!value || value.partition >= partitions) return `${JSON.stringify(each)} is not a valid ${what}`;
    if (known.has(value.partition)) return `p${value.partition} has two ${what}s`;
    known.set(value.partition, value);
  }
  return [...known.values()];
}

const OPTIONAL = { ...MARK, trimmed: isPositive, sought: isTrue };
