import type { StartFrom } from '../../config/start-from.js';
import { type Clock, sleep } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import { unanswered } from '../../lib/unanswered.js';
import type { Bucket, EventStream } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import { decodeStart, type StartRecord } from '../../protocol/position-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { encodeRecord } from '../../protocol/records.js';

const ASK_AGAIN_MS = 100;

/** The start of a group in partitions without a position; `unreadable` if its record cannot be decoded. */
export type GroupStart = Pick<StartRecord, 'seq' | 'end' | 'key' | 'created' | 'stored'> | 'unreadable';

/** The dependencies of {@link groupStart}. */
export interface GroupStartPorts {
  /**
   * The key by which the member finds partitions. Null for the partitions of the stream; undefined if the group already has a layout. The
   * first member also decides the group's key, because members with and without a key can join at the same time.
   */
  key?: string | null | undefined;
  bucket: Bucket;
  stream: Pick<EventStream, 'bounds' | 'storedAt' | 'sequenceAt'>;
  clock: Clock;
}

type Answer<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'unknown'; refusal?: string | undefined }
  | { kind: 'failed'; error: NatspocError };

/**
 * Reads the start of a group. The first member decides the start, by compare-and-set. "new" means the time of that decision, even for a
 * partition that is taken over much later. No message in between is skipped.
 *
 * @param from used if no start has been decided yet.
 * @throws NatspocError `layout-mismatch` if either the group or the member has a key, but not both. `unreachable` if there is no answer
 *   within `timeoutMs`. `storage-failed` if the bucket is still full after `timeoutMs`. Errors of the bucket and the stream are thrown as
 *   well.
 */
export async function groupStart(
  group: string,
  from: StartFrom,
  ports: GroupStartPorts,
  timeoutMs: number,
): Promise<GroupStart> {
  const { clock } = ports;
  const giveUpAt = clock.now() + timeoutMs;
  for (;;) {
    const decided = await decide(group, from, ports);
    if (decided.kind === 'ok') return decided.value;
    if (decided.kind === 'failed') throw decided.error;
    if (clock.now() >= giveUpAt) {
      const verb = decided.refusal === undefined ? 'read' : 'write';
      throw unanswered(`${verb} where group ${group} starts`, decided);
    }
    await sleep(clock, ASK_AGAIN_MS);
  }
}

/** Reads where the group starts, or decides it. After a lost answer or a conflict, the next try reads the decision. */
async function decide(group: string, from: StartFrom, ports: GroupStartPorts): Promise<Answer<GroupStart>> {
  const { bucket, stream, key: asked } = ports;
  const key = keys.start(group);
  const found = await bucket.read(key);
  if (found.kind === 'failed' || found.kind === 'unknown') return found;
  if (found.kind === 'found' && found.entry.value) {
    const decided = decodeStart(found.entry.value);
    if (!decided) return { kind: 'ok', value: 'unreadable' };
    const { v, at, ...value } = decided;
    if (asked !== undefined && value.key !== undefined && (asked === null) !== (value.key === null))
      return { kind: 'failed', error: anotherKind(group, value.key, asked) };
    return { kind: 'ok', value };
  }
  const start = await startOf(from, stream);
  if (start.kind !== 'ok') return start;
  const stored = start.value.seq > 0 ? await stream.storedAt(start.value.seq) : undefined;
  const value = {
    ...start.value,
    ...(asked !== undefined && { key: asked }),
    ...(stored !== undefined && { stored }),
  };
  const record: StartRecord = { v: RECORD_VERSION, ...value, at: new Date().toISOString() };
  const revision = found.kind === 'found' ? found.entry.revision : 0;
  const written = await bucket.write(key, encodeRecord(record), revision);
  if (written.kind === 'ok') return { kind: 'ok', value };
  return written.kind === 'conflict' ? { kind: 'unknown' } : written;
}

function anotherKind(group: string, has: string | null, asks: string | null): NatspocError {
  const inWords = (key: string | null): string =>
    key === null ? 'the partitions of the stream' : `messages by ${key}`;
  return new NatspocError(
    'layout-mismatch',
    `Group ${group} handles ${inWords(has)}, but this member asks for ${inWords(asks)}: another member joined first. ` +
      'Start this member again with the settings of the group, or choose another group.',
  );
}

/** The sequence before the first message to handle. A start time in the future means the end of the stream. */
async function startOf(
  from: StartFrom,
  stream: Pick<EventStream, 'bounds' | 'sequenceAt'>,
): Promise<Answer<{ seq: number; end: number; created?: number }>> {
  const bounds = await stream.bounds();
  if (bounds.kind !== 'ok') return bounds;
  const first = Math.max(0, bounds.first - 1);
  // The start is limited to the end of the stream. New messages below a higher start would be handled but never committed.
  const within = (sequence: number): number => Math.min(Math.max(sequence, 0), Math.max(bounds.last, first));
  const { last: end, created } = bounds;
  const startAt = (seq: number) =>
    ({ kind: 'ok', value: { seq, end, ...(created !== undefined && { created }) } }) as const;
  switch (from.kind) {
    case 'first':
      return startAt(first);
    case 'new':
      return startAt(bounds.last);
    case 'sequence':
      return startAt(within(from.sequence - 1));
    case 'time': {
      const at = await stream.sequenceAt(from.time);
      return at.kind === 'ok' ? startAt(within(at.sequence - 1)) : at;
    }
  }
}
