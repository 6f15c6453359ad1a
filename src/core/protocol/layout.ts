import { isUint8Array } from 'node:util/types';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';

/**
 * How keys become partitions, and partitions become subjects. All publishers and members of a stream must follow these
 * rules, in any programming language.
 */

/** The header that carries a message's key, as UTF-8 text. */
export const KEY_HEADER = 'Natspoc-Key';

/** A stream's prefix, partition count and key hash. It is written once. Every publisher and member checks it. */
export interface Layout {
  /** Subject prefix without a trailing dot. */
  readonly prefix: string;
  /** Number of partitions, 1 or more. */
  readonly partitions: number;
  readonly hash: 'fnv1a32';
}

const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const utf8 = new TextEncoder();

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET_BASIS;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
  }
  return hash >>> 0;
}

/** The 32-bit FNV-1a hash of bytes, or of the UTF-8 bytes of a text, as an unsigned integer. */
export function fnv1a32(key: string | Uint8Array): number {
  if (typeof key !== 'string') return hashBytes(key);
  let hash = FNV_OFFSET_BASIS;
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index);
    // Almost all keys are ASCII. Each UTF-16 unit is then a UTF-8 byte, so no encoder is needed.
    if (code > 0x7f) return hashBytes(utf8.encode(key));
    hash = Math.imul(hash ^ code, FNV_PRIME);
  }
  return hash >>> 0;
}

/**
 * The partition of a key, from 0 to `partitions` - 1: the 32-bit FNV-1a hash of the key modulo `partitions`. The server's own subject
 * mapping `partition()` gives the same result.
 *
 * @throws NatspocError `usage` for a key that is neither text nor bytes.
 */
export function partitionOf(key: string | Uint8Array, partitions: number): number {
  // Otherwise all numbers would have the same hash, because a number has no characters.
  if (typeof key !== 'string' && !isUint8Array(key)) {
    throw new NatspocError('usage', `key: ${inWords(key)} is neither text nor bytes. String(…) makes text.`);
  }
  return fnv1a32(key) % partitions;
}

/** The subject of one partition: `PREFIX.p.N`. */
export function partitionSubject(prefix: string, partition: number): string {
  return `${prefix}.p.${partition}`;
}

/** The subjects that a group reads: as one pattern, and by partition. */
export interface GroupSubjects {
  readonly all: string;
  /** A partition's patterns. They do not overlap. natspoc's publishers use the first. */
  of(partition: number): readonly [string, ...string[]];
}

/** The subjects of a layout. `hasTokens`: tokens may follow the partition (`PREFIX.p.N.>`), as with a subject mapping of the server. */
export const layoutSubjects = (prefix: string, hasTokens = false): GroupSubjects => ({
  all: hasTokens ? `${prefix}.p.>` : partitionWildcard(prefix),
  of: (partition) => {
    const subject = partitionSubject(prefix, partition);
    return hasTokens ? [subject, `${subject}.>`] : [subject];
  },
});

/** The wildcard that matches every partition's subject: `PREFIX.p.*`. */
export function partitionWildcard(prefix: string): string {
  return `${prefix}.p.*`;
}

/** The partition number in a subject under this prefix, whatever tokens follow; undefined for any other subject. */
export function partitionOfSubject(prefix: string, subject: string): number | undefined {
  const head = `${prefix}.p.`;
  if (!subject.startsWith(head)) return undefined;
  const dot = subject.indexOf('.', head.length);
  // A text that ends with a dot is not a subject.
  if (dot === subject.length - 1) return undefined;
  const token = subject.slice(head.length, dot < 0 ? undefined : dot);
  return /^(0|[1-9]\d{0,8})$/.test(token) ? Number(token) : undefined;
}
