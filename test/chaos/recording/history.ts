import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BucketRecord,
  type CallEnd,
  type CallRecord,
  type FaultKind,
  type FaultRecord,
  FILES,
  type ProcessRecord,
  type RunSettings,
} from './records.js';

/** A period, in milliseconds since the start of the run. */
export interface Span {
  from: number;
  to: number;
}

/** A call of a handler. `cut` means that the process ended before the call did. */
export interface Call extends Span {
  process: string;
  partition: number;
  epoch: number;
  seq: number;
  attempt: number;
  key: string | null;
  number: number;
  intact: boolean;
  /** True if the handler ignores its signal. */
  deaf: boolean;
  /** The calls of one batch have the same number. A single message is a batch of its own. */
  batch: number;
  how: CallEnd | 'cut';
  toldAt: number | undefined;
}

/** A process. */
export interface Life {
  name: string;
  from: number;
  killedAt: number | undefined;
  /** When the process was asked to leave. */
  leftAt: number | undefined;
  exit: { at: number; code: number | null; signal: string | null; lastWords: string } | undefined;
  /** Times in which the event loop of the process did not run. */
  stalls: Span[];
}

/** A fault. */
export interface FaultSpan extends Span {
  id: number;
  kind: FaultKind;
  target: string;
  outcome: string;
  /** A period in which a partition was certainly paused. */
  rested?: Span;
}

/** A confirmed message. */
export interface Stored {
  number: number;
  key: string | null;
  partition: number;
  seq: number;
}

/** An entry of the bucket, and when the harness saw it. */
export interface BucketChange {
  at: number;
  revision: number;
  key: string;
  value: string | null;
}

/** The complete history of a run. Times are in milliseconds since the start of the run. */
export interface History {
  settings: RunSettings;
  confirmed: Stored[];
  calls: Call[];
  lives: Life[];
  faults: FaultSpan[];
  bucket: BucketChange[];
  /** When all messages were handled and the last members were asked to leave. */
  calmAt: number;
  /** The times at which the bucket returned to an older state. */
  eras: number[];
  /** The times at which the harness's watch was restarted. */
  looks: number[];
  /** By partition: the number of messages that its owners reported as lost. */
  toldLost: ReadonlyMap<number, number>;
  /** At `from` the stream got a small limit. By `at` it had dropped all messages before the sequence `first`. */
  dropped: { from: number; at: number; first: number }[];
}

/**
 * Revisions in one era of the bucket are below this number. A new era begins when the bucket is restored from an older copy. Each later era
 * adds this number to its revisions, so revisions keep growing.
 */
export const ERA = 1e12;

/** If a killed process wrote nothing for longer than this before its end, its event loop counts as blocked. */
const STALL_MS = 60;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Reads the values from a file of JSON lines. An incomplete last line is left out. The file is read in chunks, because it can be large. */
function* readLines<T>(path: string): Generator<T> {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = bytes.subarray(end);
      for (const line of bytes.toString('utf8', 0, end).split('\n')) {
        if (line !== '') yield JSON.parse(line) as T;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Reads the confirmed messages in order. If the publisher could not start, there are none. */
export function readConfirmed(path: string): Stored[] {
  if (!existsSync(path)) return [];
  const confirmed: Stored[] = [];
  type Line = { partition: number; sequence: number; key: string | null; data: string };
  for (const { partition, sequence: seq, key, data } of readLines<Line>(path)) {
    const { number } = JSON.parse(data) as { number: number };
    confirmed.push({ number, key, partition, seq });
  }
  return confirmed;
}

/** Reads a run's folder. @throws if a file is missing or broken in its middle. */
export function readHistory(folder: string): History {
  const path = (name: string): string => join(folder, name);
  const settings = JSON.parse(readFileSync(path(FILES.settings), 'utf8')) as RunSettings;
  const ms = (us: number): number => (us - settings.startUs) / 1_000;
  const { lives, calmAt, eras, looks, dropped } = readLives(
    readLines<ProcessRecord>(path(FILES.processes)),
    ms,
  );
  const shift = (at: number): number => ERA * eras.filter((era) => era <= at).length;
  const changes = [...readLines<BucketRecord>(path(FILES.bucket))].map(([at, revision, key, value]) => ({
    at: ms(at),
    revision,
    key,
    value,
  }));
  const faults = readFaults(readLines<FaultRecord>(path(FILES.faults)), ms, calmAt);
  const copies = eras.map((back) => {
    const restored = faults.find(
      ({ kind, from, to }) => kind === 'store-restored' && from <= back && back <= to,
    );
    return { back, from: restored?.from ?? back };
  });
  const granted = grants(changes, copies);
  const calls: Call[] = [];
  for (const file of readdirSync(path(FILES.calls))) {
    const life = lives.get(file.replace(/\.ndjson$/, ''));
    if (life)
      for (const call of readCalls(readLines(path(join(FILES.calls, file))), life, ms))
        calls.push({ ...call, epoch: call.epoch + shift(granted(call) ?? call.from) });
  }
  return {
    settings,
    confirmed: readConfirmed(path(FILES.confirmed)),
    calls: calls.sort((a, b) => a.from - b.from),
    lives: [...lives.values()],
    faults,
    bucket: changes.map((change) => ({ ...change, revision: change.revision + shift(change.at) })),
    calmAt,
    eras,
    looks,
    dropped,
    toldLost: readToldLost(path(FILES.notes)),
  };
}

/**
 * Returns a function that takes a call. The function returns when the call's lease was last granted before the call. Shortly after a
 * restore of the bucket, members may still handle messages under epochs that the bucket no longer has. The leases in the restored copy
 * count as granted again at the time of the restore, even if the harness's watch shows none of them.
 *
 * @param copies the times of the restores, each with the time of the restored copy.
 */
export function grants(
  changes: readonly BucketChange[],
  copies: readonly { back: number; from: number }[],
): (call: Pick<Call, 'partition' | 'epoch' | 'from'>) => number | undefined {
  const seen = new Map<string, number[]>();
  const see = (lease: string, at: number): void => void seen.set(lease, [...(seen.get(lease) ?? []), at]);
  const leases = changes.flatMap(({ at, revision, key }) => {
    const partition = /^group\.[^.]+\.lease\.(\d+)$/.exec(key)?.[1];
    return partition === undefined ? [] : [{ at, partition, lease: `${partition} ${revision}` }];
  });
  for (const { at, lease } of leases) see(lease, at);
  for (const { back, from } of copies) {
    const held = new Map<string, string>();
    for (const { at, partition, lease } of leases) if (at <= from) held.set(partition, lease);
    for (const lease of held.values()) see(lease, back);
  }
  return ({ partition, epoch, from }) => {
    const before = (seen.get(`${partition} ${epoch}`) ?? []).filter((at) => at <= from);
    return before.length === 0 ? undefined : Math.max(...before);
  };
}

function readToldLost(folder: string): Map<number, number> {
  const told = new Map<number, number>();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, partition, count] of text.matchAll(/lost in p(\d+): (?:at most )?([\d,]+) message/g)) {
      const messages = Number(count?.replaceAll(',', ''));
      told.set(Number(partition), (told.get(Number(partition)) ?? 0) + messages);
    }
  }
  return told;
}

function readLives(
  records: Iterable<ProcessRecord>,
  ms: (us: number) => number,
): { lives: Map<string, Life>; calmAt: number } & Pick<History, 'eras' | 'looks' | 'dropped'> {
  const lives = new Map<string, Life>();
  const eras: number[] = [];
  const looks: number[] = [];
  const dropped: History['dropped'] = [];
  let calmAt = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const at = ms(record[1]);
    if (record[0] === 'calm') {
      calmAt = at;
      continue;
    }
    if (record[0] === 'era') {
      eras.push(at);
      continue;
    }
    if (record[0] === 'looked-again') {
      looks.push(at);
      continue;
    }
    if (record[0] === 'dropped') {
      dropped.push({ from: ms(record[3]), at, first: record[2] });
      continue;
    }
    const name = record[2];
    const life = lives.get(name) ?? {
      name,
      from: at,
      killedAt: undefined,
      leftAt: undefined,
      exit: undefined,
      stalls: [],
    };
    lives.set(name, life);
    if (record[0] === 'kill') life.killedAt = at;
    else if (record[0] === 'leave') life.leftAt = at;
    else if (record[0] === 'exit') {
      const [, , , code, signal, lastWords] = record;
      life.exit = { at, code, signal, lastWords };
    }
  }
  return { lives, calmAt, eras, looks, dropped };
}

function readCalls(records: Iterable<CallRecord>, life: Life, ms: (us: number) => number): Iterable<Call> {
  const calls = new Map<number, Call>();
  let last = 0;
  for (const record of records) {
    last = ms(record[1]);
    if (record[0] === 'start') {
      const [, , id, partition, epoch, seq, attempt, key, number, intact, deaf, batch] = record;
      calls.set(id, {
        ...{ process: life.name, partition, epoch, seq, attempt, key, number, intact, deaf, batch },
        ...{ from: last, to: Number.POSITIVE_INFINITY, how: 'cut', toldAt: undefined },
      });
    } else if (record[0] === 'stall') {
      last = ms(record[2]);
      life.stalls.push({ from: ms(record[1]), to: last });
    } else if (record[0] !== 'process') {
      const call = calls.get(record[2]);
      if (call?.how !== 'cut') continue;
      if (record[0] === 'told') call.toldAt = last;
      else Object.assign(call, { to: last, how: record[3] });
    }
  }
  // A killed process could not record that its event loop was blocked.
  if (life.killedAt !== undefined && life.killedAt - last > STALL_MS) {
    life.stalls.push({ from: last, to: life.killedAt });
  }
  // A killed process ends immediately, but the harness can notice it late. The process ended no earlier than its last record.
  const end = Math.max(last, life.killedAt ?? life.exit?.at ?? Number.POSITIVE_INFINITY);
  for (const call of calls.values()) if (call.how === 'cut') call.to = end;
  return calls.values();
}

function readFaults(
  records: Iterable<FaultRecord>,
  ms: (us: number) => number,
  openUntil: number,
): FaultSpan[] {
  const faults = new Map<number, FaultSpan>();
  for (const record of records) {
    const at = ms(record[1]);
    if (record[0] === 'begin') {
      const [, , id, kind, target] = record;
      faults.set(id, { id, kind, target, from: at, to: openUntil, outcome: 'did not end' });
    } else {
      const fault = faults.get(record[2]);
      if (!fault) continue;
      const [, , , outcome, rested] = record;
      Object.assign(fault, { to: at, outcome });
      if (rested) fault.rested = { from: ms(rested[0]), to: ms(rested[1]) };
    }
  }
  return [...faults.values()];
}
