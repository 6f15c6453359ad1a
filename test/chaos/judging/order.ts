import type { Call, History, Stored } from '../recording/history.js';
import { describeCall } from './describe.js';
import type { Section } from './layouts.js';
import type { Violation } from './violation.js';

/** The messages of one partition in the order of the stream. */
export interface PartitionLog {
  sequences: number[];
  index: Map<number, number>;
}

/**
 * Confirmed messages that the stream dropped before they were handled. They can still be handled later, because a killed server can restore
 * them.
 */
function droppedOf({ confirmed, calls, dropped }: History): Stored[] {
  if (dropped.length === 0) return [];
  const handledAt = new Map<number, number>();
  for (const { seq, to, how } of calls) {
    if (how === 'handled') handledAt.set(seq, Math.min(to, handledAt.get(seq) ?? Number.POSITIVE_INFINITY));
  }
  const isDropped = (seq: number): boolean => {
    const drop = dropped.find(({ first }) => seq < first);
    return drop !== undefined && (handledAt.get(seq) ?? Number.POSITIVE_INFINITY) > drop.at;
  };
  return confirmed.filter(({ seq }) => isDropped(seq));
}

/** All messages that are known to be stored. Messages that the stream dropped do not count. */
export function partitionLogs(history: History, section: Section): PartitionLog[] {
  const sets = section.calls.map((calls) => new Set(calls.map(({ seq }) => seq)));
  for (const message of history.confirmed) sets[section.partitionOf(message)]?.add(message.seq);
  for (const message of droppedOf(history)) sets[section.partitionOf(message)]?.delete(message.seq);
  return sets.map((set) => {
    const sequences = [...set].sort((a, b) => a - b);
    return { sequences, index: new Map(sequences.map((seq, index) => [seq, index])) };
  });
}

/** Tracks the first unhandled message as calls end. */
export class Frontier {
  readonly #handled: Uint8Array;
  #next = 0;

  constructor(length: number) {
    this.#handled = new Uint8Array(length);
  }

  get next(): number {
    return this.#next;
  }

  handled(index: number): void {
    this.#handled[index] = 1;
    while (this.#handled[this.#next]) this.#next++;
  }
}

/** Yields the starts and ends of calls in order of time. At equal times, ends come before starts. */
export function* inTime(calls: readonly Call[]): Generator<{ call: Call; ends: boolean }> {
  const ends = [...calls].sort((a, b) => a.to - b.to);
  let next = 0;
  for (const call of calls) {
    for (; (ends[next]?.to ?? Number.POSITIVE_INFINITY) <= call.from; next++) {
      yield { call: ends[next] as Call, ends: true };
    }
    yield { call, ends: false };
  }
  for (; next < ends.length; next++) yield { call: ends[next] as Call, ends: true };
}

/** Checks that no message is lost or stored twice. Also checks that each key is handled in order, even across partitions. */
export function judgeMessages(history: History): Violation[] {
  return [...judgeStorage(history.confirmed), ...judgeKeys(history), ...judgeLoss(history)];
}

/** Checks the content of messages, and the order within each partition of a layout. */
export function judgeOrder(history: History, section: Section, logs: readonly PartitionLog[]): Violation[] {
  return [
    ...judgeContent(history, section),
    ...section.calls.flatMap((_, partition) =>
      judgePartition(section, partition, logs[partition] as PartitionLog),
    ),
  ];
}

/** Checks that each message number is stored once. The numbers of each key must be stored in order. */
function judgeStorage(confirmed: readonly Stored[]): Violation[] {
  const violations: Violation[] = [];
  const numbers = new Map<number, Stored>();
  for (const message of confirmed) {
    const other = numbers.get(message.number);
    if (other && other.seq !== message.seq) {
      const text = `message ${message.number} is stored as #${other.seq} and as #${message.seq}`;
      violations.push({ charge: 'stored-twice', at: 0, partition: message.partition, text });
    }
    numbers.set(message.number, message);
  }
  const last = new Map<string | null, Stored>();
  for (const message of [...confirmed].sort((a, b) => a.seq - b.seq)) {
    const before = last.get(message.key);
    if (before && before.number > message.number) {
      const text = `key ${message.key}: message ${message.number} is stored after ${before.number}`;
      violations.push({ charge: 'disorder', at: 0, partition: message.partition, text });
    }
    last.set(message.key, message);
  }
  return violations;
}

/** Checks that each handled message equals the message confirmed at its sequence, and is handled in its partition. */
function judgeContent({ confirmed, calls }: History, section: Section): Violation[] {
  const stored = new Map(confirmed.map((message) => [message.seq, message]));
  return calls.filter(section.isOwn).flatMap((call) => {
    const message = stored.get(call.seq);
    const { partition, key, number, from: at } = call;
    const same = !message || (message.number === number && message.key === key);
    const home = section.partitionOf(message ?? call);
    if (call.intact && same && home === partition) return [];
    const why = !call.intact
      ? 'its checksum is wrong'
      : same
        ? `it belongs to p${home} of ${section.partitions} partitions`
        : `#${call.seq} was confirmed as message ${message?.number} of ${message?.key}`;
    const text = `${describeCall(call)}: ${why}`;
    return [{ charge: 'damaged', at, partition, text } satisfies Violation];
  });
}

/** Checks that a call starts only after all earlier messages are handled. */
function judgePartition({ calls, isOwn }: Section, partition: number, log: PartitionLog): Violation[] {
  const violations: Violation[] = [];
  const frontier = new Frontier(log.sequences.length);
  const newest = new Map<number, Call>();
  for (const { call, ends } of inTime(calls[partition] ?? [])) {
    const index = log.index.get(call.seq);
    // The call failed, and its message was dropped before the next attempt.
    if (index === undefined) continue;
    if (ends) {
      if (call.how === 'handled') frontier.handled(index);
      continue;
    }
    if (!isOwn(call)) continue;
    const accuse = (why: string): void => {
      violations.push({
        charge: 'disorder',
        at: call.from,
        partition,
        text: `${describeCall(call)}: ${why}`,
      });
    };
    if (frontier.next < index) accuse(`#${log.sequences[frontier.next]} was not handled yet`);
    const before = newest.get(call.epoch);
    if (before && call.seq < before.seq) accuse(`#${before.seq} was handled before under the same epoch`);
    newest.set(call.epoch, call);
  }
  return violations;
}

/** Checks that the first calls of each key's messages are in the order of their numbers. */
function judgeKeys(history: History): Violation[] {
  const violations: Violation[] = [];
  const dropped = new Set(droppedOf(history).map(({ seq }) => seq));
  const newest = new Map<string | null, number>();
  const seen = new Set<number>();
  for (const call of history.calls) {
    if (seen.has(call.number) || dropped.has(call.seq)) continue;
    seen.add(call.number);
    const last = newest.get(call.key) ?? 0;
    if (call.number < last) {
      const text = `${describeCall(call)}: message ${last} of key ${call.key} was handled before`;
      violations.push({ charge: 'disorder', at: call.from, partition: call.partition, text });
    }
    newest.set(call.key, Math.max(last, call.number));
  }
  return violations;
}

function judgeLoss(history: History): Violation[] {
  const { settings, confirmed, calls, calmAt, toldLost } = history;
  // SPEC.md, "Not promised": a loss can stay unreported if the stream drops the message within a second after it is stored. The time in
  // which the limit is small counts as well. If a server is killed meanwhile, this time is several seconds.
  const unseenMs = history.dropped.reduce((sum, drop) => sum + 1_000 + drop.at - drop.from, 0);
  const unseen = (unseenMs * settings.rate) / 1_000 / settings.partitions;
  const at = Number.isFinite(calmAt) ? calmAt : 0;
  const ended = new Set(calls.filter(({ how }) => how === 'handled').map(({ seq }) => seq));
  // A member can handle dropped messages from memory, or after the server has restored them.
  const dropped = droppedOf(history).filter(({ seq }) => !ended.has(seq));
  for (const { seq } of dropped) ended.add(seq);
  const lost = confirmed
    .filter(({ seq }) => !ended.has(seq))
    .map(({ seq, number, key, partition }): Violation => {
      const text = `p${partition} #${seq} (message ${number} of ${key}) was confirmed and never handled`;
      return { charge: 'lost', at, partition, text };
    });
  const untold = [...new Set(dropped.map(({ partition }) => partition))].flatMap((partition): Violation[] => {
    const count = dropped.filter((each) => each.partition === partition).length;
    // A reader of all partitions does not know the partition of dropped messages. So its report counts for every partition.
    const all = [...toldLost.values()].reduce((sum, told) => sum + told, 0);
    const told = settings.keyed ? all : (toldLost.get(partition) ?? 0);
    if (told >= count - unseen) return [];
    const text = `the stream dropped ${count} messages of p${partition}, and members reported ${told}`;
    return [{ charge: 'silent-loss', at, partition, text }];
  });
  return [...lost, ...untold];
}
