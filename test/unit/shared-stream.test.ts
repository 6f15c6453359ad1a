import assert from 'node:assert/strict';
import { UNKNOWN_REST } from '../../src/core/member/partition/stream-losses.js';
import { SharedStream } from '../../src/core/member/shared/shared-stream.js';
import type {
  Coverage,
  EventStream,
  ReaderOptions,
  ReaderSink,
  Rest,
  Trimmed,
} from '../../src/core/ports/index.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';
import { ManualClock } from '../support/manual-clock.js';

/** A message's partition is the last digit of its sequence, modulo this number. */
const PARTITIONS = 2;

const messageOf = (sequence: number): StreamMessage => ({
  sequence,
  subject: `s.${sequence % PARTITIONS}`,
  data: new Uint8Array(0),
  size: 0,
  timestampMs: sequence * 10,
  key: null,
  headers: () => ({}),
});

/** A reader at the server. It delivers the messages that a test names. */
class Opened {
  pending = 0;
  rested: Rest | undefined;
  held = 0;
  delivered = 0;
  isClosed = false;
  isResting = false;
  /** How many messages fit into the window; undefined: as many as it allows. */
  capacity: number | undefined;
  /** How often the reader was told that it may request more. */
  starved = 0;
  readonly options: ReaderOptions;
  readonly sink: ReaderSink;

  constructor(options: ReaderOptions, sink: ReaderSink) {
    this.options = options;
    this.sink = sink;
  }

  start(): void {}

  starve(): void {
    this.starved++;
  }

  resize(): void {}

  release(messages: number): void {
    this.held -= messages;
  }

  close(): void {
    this.isClosed = true;
  }

  /** Delivers these sequences. `pending` messages wait after them. */
  deliver(from: number, to: number, pending = 0): void {
    for (let sequence = from; sequence <= to && !this.isClosed; sequence++) {
      this.pending = to - sequence + pending;
      this.held++;
      this.delivered++;
      this.sink.message(messageOf(sequence));
    }
  }
}

/** What a partition sees of its lane. */
interface Taken {
  sequences: number[];
  faults: string[];
  trimmed: Trimmed[];
  release(messages: number): void;
  close(): void;
  coverage(): Coverage | undefined;
  pending(): number;
}

function bench(messages = 1_000) {
  const clock = new ManualClock();
  const readers: Opened[] = [];
  const bounds = { first: 1, last: 1_000_000, missing: 0, mostPerSubject: 0 };
  let change: string | undefined;
  let changed: string | undefined;
  let stolen = 0;
  const looks = { count: 0, tookMs: 0 };
  const stream: EventStream = {
    open: async (options, sink) => {
      const reader = new Opened(options, sink);
      readers.push(reader);
      return { kind: 'ok', reader };
    },
    remove: async () => ({ kind: 'ok' }),
    inspect: async (name) => {
      looks.count++;
      if (looks.tookMs > 0) clock.advance(looks.tookMs);
      // A removed reader has no state.
      if (readers.some(({ options, isClosed }) => isClosed && options.name === name)) return 'gone';
      return {
        waiting: 0,
        change: name === changed || !changed ? change : undefined,
        delivered: (readers.at(-1)?.delivered ?? 0) + stolen,
      };
    },
    bounds: async () => ({ kind: 'ok', ...bounds }),
    storedAt: async () => undefined,
    newest: async () => undefined,
    sequenceAt: async () => ({ kind: 'unknown' }),
  };
  const unplaced = { sequence: 0 };
  let names = 0;
  const shared = new SharedStream({
    clock,
    stream,
    partitionOf: ({ sequence }) => {
      if (sequence === unplaced.sequence) throw new Error('its key is unknown');
      return sequence % PARTITIONS;
    },
    partitions: PARTITIONS,
    // Each of two readers gets half of the budget.
    budget: { messages: 2 * messages, bytes: 1_000_000 },
    lostFrom: 0,
    newName: () => `reader-${++names}`,
  });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(5);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  /**
   * Opens a partition after a sequence, as its owner does. `held` is the number of unsettled messages of an earlier reader. With that
   * reader the partition got to `handledUpTo`.
   */
  const take = async (partition: number, after: number, held = 0, handledUpTo = after): Promise<Taken> => {
    const taken: Pick<Taken, 'sequences' | 'faults' | 'trimmed'> = { sequences: [], faults: [], trimmed: [] };
    const opened = await shared.open(
      {
        name: `p${partition}`,
        partition,
        startSequence: after + 1,
        window: { messages: 1, bytes: 1 },
        concurrency: 1,
        handledUpTo,
      },
      {
        message: ({ sequence }) => taken.sequences.push(sequence),
        fault: (fault) => taken.faults.push(fault),
        trimmed: (trimmed) => taken.trimmed.push(trimmed),
      },
    );
    assert.equal(opened.kind, 'ok');
    if (opened.kind !== 'ok') throw new Error('not opened');
    opened.reader.start(held);
    await settle();
    const { reader } = opened;
    return {
      ...taken,
      release: (count) => reader.release(count),
      close: () => reader.close(),
      coverage: () => reader.coverage,
      pending: () => reader.pending,
    };
  };
  const startOf = (reader: Opened | undefined): number | undefined => reader?.options.startSequence;
  return {
    clock,
    readers,
    bounds,
    shared,
    settle,
    take,
    startOf,
    looks,
    unplaced,
    /** As another client would, changes one reader, or all of them. */
    change: (text: string, reader?: Opened) => {
      change = text;
      changed = reader?.options.name;
    },
    steal: () => stolen++,
  };
}

const range = (from: number, to: number, step = PARTITIONS): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

describe("the shared reader of a member's partitions", () => {
  it('the shared stream opens one reader, and gives each partition only its own messages', async () => {
    const { readers, take } = bench();
    const [even, odd] = [await take(0, 0), await take(1, 0)];
    readers[0]?.deliver(1, 10);
    assert.deepEqual([even.sequences, odd.sequences], [range(2, 10), range(1, 9)]);
    assert.deepEqual([readers.length, readers[0]?.options.partition], [1, null]);
  });

  it('the shared stream releases window space for handled messages and for messages of other members', async () => {
    const { readers, take } = bench();
    const odd = await take(1, 0);
    readers[0]?.deliver(1, 10);
    assert.equal(readers[0]?.held, 5);
    odd.release(5);
    assert.equal(readers[0]?.held, 0);
  });

  it("the shared stream releases the space of other members' messages at once if its reader requests nothing more", async () => {
    const { readers, take } = bench();
    await take(1, 0);
    const [reader] = readers;
    assert.ok(reader);
    // Three messages fill the window, because they are large. Two of them belong to the other member.
    reader.deliver(1, 2, 40);
    reader.isResting = true;
    reader.deliver(3, 3, 40);
    assert.equal(reader.held, 2);
  });

  it("the shared stream releases the space of other members' messages if the last request ends early", async () => {
    const { readers, take } = bench();
    await take(1, 0);
    readers[0]?.deliver(1, 4, 40);
    assert.equal(readers[0]?.held, 4);
    readers[0]?.sink.rests?.();
    assert.equal(readers[0]?.held, 2);
  });

  it('the shared stream requests more messages while a stuck partition holds half of the window', async () => {
    const { readers, take } = bench();
    await take(1, 0);
    const fast = await take(0, 0);
    const [reader] = readers;
    assert.ok(reader);
    reader.deliver(1, 4, 40);
    reader.capacity = 4;
    reader.isResting = true;
    fast.release(2);
    assert.equal(reader.starved, 1);
  });

  it('the shared stream leaves a partition behind that holds half of the messages that fit into the window', async () => {
    const { readers, take } = bench();
    const slow = await take(1, 0);
    const fast = await take(0, 0);
    const [reader] = readers;
    assert.ok(reader);
    reader.capacity = 8;
    for (let sequence = 1; sequence <= 20; sequence++) {
      reader.deliver(sequence, sequence, 40);
      if (sequence % 2 === 0) fast.release(1);
    }
    assert.equal(slow.sequences.length, 4);
    assert.equal(fast.sequences.length, 10);
  });

  it('the shared stream serves a partition behind the head with a second reader, which joins the head without a gap or a repeat', async () => {
    const { readers, take, startOf, settle } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 100, 50);
    const odd = await take(1, 40);
    assert.deepEqual([readers.length, startOf(readers[1])], [2, 41]);
    readers[1]?.deliver(41, 80, 20);
    // Meanwhile the head continues, but the partition does not take its messages yet.
    readers[0]?.deliver(101, 110, 40);
    readers[1]?.deliver(81, 109, 1);
    assert.equal(readers[1]?.isClosed, false);
    readers[1]?.deliver(110, 110, 40);
    await settle();
    assert.equal(readers[1]?.isClosed, true);
    readers[0]?.deliver(111, 120, 30);
    assert.deepEqual(odd.sequences, range(41, 119));
  });

  it('the shared stream makes a partition that is ahead of the head wait for the head', async () => {
    const { readers, take } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 10, 90);
    const odd = await take(1, 50);
    readers[0]?.deliver(11, 60, 40);
    assert.deepEqual([readers.length, odd.sequences], [1, range(51, 59)]);
  });

  it('the shared stream leaves a full partition behind if another partition has room, without losing messages', async () => {
    const { readers, take, settle, startOf } = bench(10);
    const [slow, fast] = [await take(1, 0), await take(0, 0)];
    for (let sequence = 1; sequence <= 40; sequence++) {
      readers[0]?.deliver(sequence, sequence, 40);
      if (sequence % 2 === 0) fast.release(1);
    }
    assert.deepEqual(fast.sequences, range(2, 40));
    // The slow partition holds 4 of the 10 messages that fit into the window. The rest is a reserve, or room for others.
    assert.deepEqual(slow.sequences, range(1, 7));
    // The next reader is opened only after half of the held messages are handled.
    await settle();
    assert.equal(readers.length, 1);
    slow.release(3);
    await settle();
    assert.deepEqual([readers.length, startOf(readers[1])], [2, 9]);
    readers[1]?.deliver(9, 20, 20);
    assert.deepEqual(slow.sequences, range(1, 19));
  });

  it('the shared stream returns window space to the head if a partition that it left behind loses its reader', async () => {
    const { readers, take, settle } = bench(10);
    const [slow, fast] = [await take(1, 0), await take(0, 0)];
    for (let sequence = 1; sequence <= 40; sequence++) {
      readers[0]?.deliver(sequence, sequence, 40);
      if (sequence % 2 === 0) fast.release(1);
    }
    slow.release(3);
    await settle();
    const before = readers[0]?.held ?? 0;
    const held = slow.sequences.length - 3;
    readers[1]?.sink.fault('broken', 'the connection was lost');
    assert.deepEqual(slow.faults, ['broken']);
    assert.equal(readers[0]?.held, before - held);
  });

  it('the shared stream waits for a full partition if no other partition has room', async () => {
    const { readers, take } = bench(10);
    const slow = await take(1, 0);
    readers[0]?.deliver(1, 19, 40);
    assert.deepEqual(slow.sequences, range(1, 19));
  });

  it('the shared stream reports how far a partition was read, and does not count messages that the partition missed', async () => {
    const { readers, take } = bench(10);
    const [slow, fast] = [await take(1, 0), await take(0, 0)];
    readers[0]?.deliver(1, 5, 40);
    assert.deepEqual(fast.coverage(), { sequence: 5, storedMs: 50 });
    for (let sequence = 6; sequence <= 40; sequence++) {
      readers[0]?.deliver(sequence, sequence, 40);
      if (sequence % 2 === 0) fast.release(1);
    }
    assert.equal(slow.coverage()?.sequence, (slow.sequences.at(-1) ?? 0) + 1);
    assert.ok(slow.sequences.length < 10);
    assert.ok(slow.pending() > 0);
  });

  it('the shared stream opens another head reader for a partition that is far ahead', async () => {
    const { readers, take, settle, startOf } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 10, 200_000);
    const odd = await take(1, 100_000);
    await settle();
    assert.deepEqual([readers.length, startOf(readers[1])], [2, 100_001]);
    readers[1]?.deliver(100_001, 100_010, 5);
    readers[0]?.deliver(11, 20, 100_000);
    assert.deepEqual(odd.sequences, range(100_001, 100_009));
    assert.deepEqual(even.sequences, range(2, 20));
  });

  it('the shared stream reports a failed reader to all its partitions, and opens another reader for partitions that return', async () => {
    const { readers, take, startOf } = bench();
    const [even, odd] = [await take(0, 0), await take(1, 0)];
    readers[0]?.deliver(1, 10);
    readers[0]?.sink.fault('deleted', 'gone');
    // The client that deleted the reader is not a newer owner.
    assert.deepEqual([even.faults, odd.faults], [['broken'], ['broken']]);
    await take(0, 10);
    assert.deepEqual([readers.length, startOf(readers[1])], [2, 11]);
  });

  it('the shared stream makes a partition with many messages from earlier readers wait, so that repeated faults do not pile up messages', async () => {
    const { readers, take, settle } = bench(10);
    const slow = await take(1, 20, 8);
    assert.equal(readers[0]?.isClosed, true);
    slow.release(4);
    await settle();
    assert.equal(readers.length, 2);
    await take(0, 20, 3);
    readers[1]?.deliver(21, 22);
    assert.deepEqual(slow.sequences, [21]);
  });

  it('the shared stream ends a reader that another client changed, before its messages are committed', async () => {
    const { readers, take, shared, change } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 10);
    await shared.shared.confirm(0);
    assert.deepEqual(even.faults, []);
    change('its reader was changed to deliver messages of orders.x');
    await shared.shared.confirm(0);
    assert.deepEqual([even.faults, readers[0]?.isClosed], [['foreign'], true]);
  });

  it('the shared stream reports a changed reader to a partition even after the partition joined the head', async () => {
    const { readers, take, shared, change } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 100, 50);
    const odd = await take(1, 40);
    change('its reader was changed', readers[1]);
    readers[1]?.deliver(41, 100, 50);
    await shared.shared.confirm(0);
    assert.equal(readers[1]?.isClosed, true);
    assert.deepEqual([even.faults, odd.faults], [[], ['foreign']]);
  });

  it('the shared stream reports a changed reader to a partition even after the partition was left behind', async () => {
    const { readers, take, shared, change } = bench(10);
    const [slow, fast] = [await take(1, 0), await take(0, 0)];
    for (let sequence = 1; sequence <= 40; sequence++) {
      readers[0]?.deliver(sequence, sequence, 40);
      if (sequence % 2 === 0) fast.release(1);
    }
    change('its reader was changed', readers[0]);
    await shared.shared.confirm(0);
    assert.deepEqual([slow.faults, fast.faults], [['foreign'], ['foreign']]);
  });

  it('the shared stream reports a changed reader to a partition even after the reader was lost and replaced', async () => {
    const { readers, take, shared, change } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 10);
    change('its reader was changed', readers[0]);
    readers[0]?.sink.fault('broken', 'the connection was lost');
    const again = await take(0, 10);
    await shared.shared.confirm(0);
    assert.deepEqual(again.faults, ['foreign']);
    assert.equal(readers[1]?.isClosed, true);
  });

  it('if a changed reader has served a partition that no reader serves now, the shared stream reports the doubt, and restarts the partition once', async () => {
    const { readers, take, shared, change, settle } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 10);
    change('its reader was changed', readers[0]);
    even.close();
    assert.deepEqual(await shared.shared.confirm(0), { doubt: 'its reader was changed' });
    assert.equal(await shared.shared.confirm(1), 'confirmed');
    const again = await take(0, 10);
    await settle();
    assert.deepEqual(again.faults, ['foreign']);
    assert.deepEqual((await take(0, 0)).faults, []);
    assert.equal(await shared.shared.confirm(0), 'confirmed');
  });

  it('if a reader was changed, the shared stream restarts a partition that the reader served, even if the partition received nothing from it', async () => {
    const { readers, take, shared, change, settle } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 1);
    change('its reader was changed', readers[0]);
    readers[0]?.deliver(3, 9);
    even.close();
    assert.deepEqual(await shared.shared.confirm(0), { doubt: 'its reader was changed' });
    const again = await take(0, 0, 0, 9);
    await settle();
    assert.deepEqual(again.faults, ['foreign']);
  });

  it('the shared stream leaves the server time to deliver between two checks, and one check answers all partitions that wait for it', async () => {
    const { readers, take, shared, looks, settle } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 10);
    looks.tookMs = 10;
    await shared.shared.confirm(0);
    const waiting = [0, 1, 0].map((partition) => shared.shared.confirm(partition));
    await settle();
    assert.equal(looks.count, 1);
    await settle();
    assert.equal(looks.count, 2);
    assert.deepEqual(await Promise.all(waiting), ['confirmed', 'confirmed', 'confirmed']);
  });

  it('the shared stream opens another reader after another client has pulled from the shared reader', async () => {
    const { readers, take, shared, steal, settle } = bench();
    const even = await take(0, 0);
    readers[0]?.deliver(1, 10);
    steal();
    // The first check reports nothing, because messages from the server may still be in flight.
    await shared.shared.confirm(0);
    assert.deepEqual(even.faults, []);
    await shared.shared.confirm(0);
    await settle();
    assert.deepEqual([even.faults, readers[0]?.isClosed], [['broken'], true]);
  });

  it('the shared stream reports messages that the stream dropped before a partition that was left behind could read them', async () => {
    const { readers, take, bounds } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 100, 50);
    bounds.first = 61;
    const odd = await take(1, 40);
    readers[1]?.deliver(61, 61, 89);
    assert.deepEqual(odd.trimmed, [{ from: 41, to: 60, atMost: 20 }]);
  });

  it('the shared stream reports messages that the stream dropped while a reader was about to join the head', async () => {
    const { readers, take, bounds, shared } = bench();
    await take(0, 0);
    readers[0]?.deliver(1, 100, 50);
    const odd = await take(1, 40);
    bounds.first = 61;
    const [, catchUp] = readers;
    assert.ok(catchUp);
    catchUp.rested = UNKNOWN_REST;
    catchUp.deliver(61, 100, 50);
    await shared.shared.confirm(0);
    assert.equal(catchUp.isClosed, true);
    assert.deepEqual(odd.trimmed, [{ from: 41, to: 60, atMost: 20 }]);
  });

  it('the shared reader stops after its last partition has left', async () => {
    const { readers, take, settle } = bench();
    const even = await take(0, 0);
    even.close();
    await settle();
    assert.equal(readers[0]?.isClosed, true);
  });

  it('the shared reader is opened for expected partitions, and closed if no partition is opened', async () => {
    const { shared, readers, take, settle } = bench();
    shared.shared.prepare(100);
    await settle();
    assert.equal(readers.length, 1);
    assert.equal(readers[0]?.options.startSequence, 101);
    const [near, later] = [await take(0, 100), await take(1, 107)];
    await settle();
    assert.equal(readers.length, 1, 'both partitions begin with this reader');
    readers[0]?.deliver(101, 110);
    assert.deepEqual([near.sequences, later.sequences], [range(102, 110), [109]]);
  });

  it('the shared stream closes a reader that was opened for partitions that are never opened', async () => {
    const { shared, readers, clock, settle } = bench();
    shared.shared.prepare(100);
    await settle();
    assert.equal(readers[0]?.isClosed, false);
    clock.advance(5_000);
    await settle();
    assert.equal(readers[0]?.isClosed, true);
  });

  it('a check for which a drain waits is not delayed', async () => {
    const { shared, take, looks, settle } = bench();
    await take(0, 0);
    await settle();
    looks.tookMs = 10;
    await shared.shared.confirm(0);
    const before = looks.count;
    // After each check there is a pause, to spare the server. No time passes in this test, so the pause does not end.
    const waiting = shared.shared.confirm(0);
    const urgent = shared.shared.confirm(0, true);
    assert.deepEqual(await Promise.all([waiting, urgent]), ['confirmed', 'confirmed']);
    assert.ok(looks.count > before);
  });

  it('only partitions beyond a message continue if the partition of that message is unknown', async () => {
    const { readers, unplaced, take } = bench();
    unplaced.sequence = 5;
    const [behind, beyond] = [await take(0, 0), await take(1, 5)];
    readers[0]?.deliver(1, 10);
    assert.deepEqual([behind.sequences, behind.faults], [[2, 4], ['unplaced']]);
    assert.deepEqual([beyond.sequences, beyond.faults], [[7, 9], []]);
  });
});
