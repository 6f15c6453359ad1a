import assert from 'node:assert/strict';
import { TrimWatch } from '../../src/core/member/partition/stream-losses.js';
import type { StreamBounds, Trimmed } from '../../src/core/ports/index.js';
import { settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

/** A watch. The test answers its requests. */
function bench() {
  const clock = new ManualClock();
  const told: Trimmed[] = [];
  const asked: { since: number | undefined; answer: (bounds: Partial<StreamBounds> | 'unknown') => void }[] =
    [];
  const reading = { received: 10, waiting: 0, isResting: false };
  /**
   * `waiting` is the number of waiting messages that the server counts. If it is undefined, the server does not answer. `counts` and
   * `replaced` tell how often the server counted, and how often the reader was replaced.
   */
  const server: { waiting: number | undefined; counts: number; replaced: number } = {
    ...{ waiting: 0, counts: 0, replaced: 0 },
  };
  const watch = new TrimWatch(10, 0, {
    clock,
    recount: async () => {
      if (server.waiting === undefined) return false;
      server.counts++;
      reading.waiting = server.waiting;
      return true;
    },
    stream: {
      bounds: (since) =>
        new Promise((resolve) => {
          asked.push({
            since,
            answer: (bounds) =>
              resolve(
                bounds === 'unknown'
                  ? { kind: 'unknown' }
                  : {
                      kind: 'ok',
                      first: 1,
                      last: 100,
                      missing: 0,
                      mostPerSubject: 0,
                      created: undefined,
                      ...bounds,
                    },
              ),
          });
        }),
    },
    reading: () => reading,
    replace: () => server.replaced++,
    cleared: async () => undefined,
    trimmed: (trimmed) => told.push(trimmed),
  });
  /** A message arrives after a time in which no request was open. */
  const came = (sequence: number): void => {
    watch.came(sequence, reading.received, 0, { from: Number.NEGATIVE_INFINITY, until: clock.now() });
    reading.received = sequence;
  };
  /** Lets time pass until the next regular check. Answers its request. */
  const check = async (bounds: Partial<StreamBounds>): Promise<void> => {
    const before = asked.length;
    clock.advance(1_000);
    await settle();
    for (const each of asked.slice(before)) each.answer(bounds);
    await settle();
  };
  return { clock, watch, asked, told, came, reading, server, check };
}

/** Starts the regular checks of a watch. Its reader requests no messages. */
async function resting(waiting: number) {
  const all = bench();
  const { watch, asked, reading, server } = all;
  watch.opened(waiting);
  Object.assign(reading, { waiting, isResting: true });
  server.waiting = waiting;
  const started = watch.start();
  asked[0]?.answer({});
  await started;
  return all;
}

describe('the search for messages that a stream has dropped', () => {
  it('an answer to a request that is older than the jump in question is not accepted', async () => {
    const { clock, watch, asked, came } = bench();
    clock.advance(5_000);
    came(50);
    clock.advance(10);
    const settled = watch.settle();
    assert.deepEqual(
      asked.map(({ since }) => since),
      [clock.now() - 10],
    );
    asked[0]?.answer({ first: 50 });
    assert.equal(await settled, true);
  });

  it('no request is made without a sign of a loss', async () => {
    const { watch, asked, came } = bench();
    came(11);
    assert.equal(await watch.settle(), true);
    assert.equal(asked.length, 0);
  });

  it('the signs of a loss are kept if the stream does not answer', async () => {
    const { watch, asked, told, came } = bench();
    came(50);
    const first = watch.settle();
    asked[0]?.answer('unknown');
    assert.equal(await first, false);
    const second = watch.settle();
    asked[1]?.answer({ first: 40 });
    assert.equal(await second, true);
    assert.deepEqual(told, [{ from: 11, to: 39, atMost: 29 }]);
  });

  it('a jump that was noticed while a request was in flight causes another request', async () => {
    const { watch, asked, told, came } = bench();
    came(20);
    const first = watch.settle();
    came(50);
    const second = watch.settle();
    asked[0]?.answer({ first: 1 });
    assert.equal(await first, true);
    await new Promise((resolve) => setImmediate(resolve));
    asked[1]?.answer({ first: 45 });
    assert.equal(await second, true);
    assert.deepEqual(told, [{ from: 21, to: 44, atMost: 24 }]);
  });

  it('the search returns the place where it ended, even while a request is in flight', () => {
    const { watch, came } = bench();
    came(20);
    void watch.settle();
    came(30);
    assert.deepEqual(watch.state, {
      settledTo: 10,
      jumps: [
        { from: 10, to: 20, skipped: 9, isLong: false, isDoubtful: false },
        { from: 20, to: 30, skipped: 9, isLong: false, isDoubtful: false },
      ],
      fell: 0,
    });
  });

  it('no loss is found if the stream begins between two jumps, among messages that were received', async () => {
    const { watch, asked, told, came } = bench();
    came(11);
    for (let sequence = 13; sequence <= 40; sequence++) came(sequence);
    came(42);
    const settled = watch.settle();
    asked[0]?.answer({ first: 30 });
    assert.equal(await settled, true);
    assert.deepEqual(told, []);
  });

  it('jumps before the jump in which the stream begins count as losses, too', async () => {
    const { watch, asked, told, came } = bench();
    for (const sequence of [12, 40, 60]) came(sequence);
    const settled = watch.settle();
    asked[0]?.answer({ first: 30 });
    assert.equal(await settled, true);
    assert.deepEqual(told, [{ from: 11, to: 29, atMost: 19 }]);
  });

  it('the search notices that fewer messages wait when another reader is opened', async () => {
    const { watch, asked, told } = bench();
    watch.opened(4);
    watch.came(11, 10, 3, undefined);
    watch.opened(1);
    const settled = watch.settle();
    asked[0]?.answer({ first: 40 });
    assert.equal(await settled, true);
    assert.deepEqual(told, [{ from: 11, to: 100, atMost: 2 }]);
  });

  it('a jump after which messages may have waited for long is reported, even if the stream begins after it', async () => {
    const { clock, watch, asked, told, came } = bench();
    came(11);
    clock.advance(1_500);
    came(40);
    came(42);
    const settled = watch.settle();
    asked[0]?.answer({ first: 60 });
    assert.equal(await settled, true);
    assert.deepEqual(told, [{ from: 11, to: 39, atMost: 28 }]);
  });

  it('messages that waited are reported even if the stream held them at a recent check, and begins after the jump now', async () => {
    const { clock, watch, asked, told, came, reading } = bench();
    watch.opened(5);
    reading.waiting = 5;
    const started = watch.start();
    asked[0]?.answer({});
    await started;
    clock.advance(300);
    reading.waiting = 0;
    came(40);
    const settled = watch.settle();
    asked[1]?.answer({ first: 60 });
    assert.equal(await settled, true);
    assert.deepEqual(
      told.map(({ from, to }) => [from, to]),
      [[11, 100]],
    );
  });

  it('messages that disappeared are reported together with later messages that the stream dropped', async () => {
    const { watch, asked, told, reading } = bench();
    watch.opened(9);
    watch.came(19, 10, 4, undefined);
    Object.assign(reading, { received: 19, waiting: 4 });
    const settled = watch.settle();
    asked[0]?.answer({ first: 30 });
    assert.equal(await settled, true);
    assert.deepEqual(told, [{ from: 11, to: 29, atMost: 8 }]);
  });

  describe('while the reader requests no messages', () => {
    it('the server counts the waiting messages every 2 s, and a fall of their number is a loss', async () => {
      const { told, server, check } = await resting(50);
      for (let second = 0; second < 4; second++) await check({ last: 200 });
      assert.deepEqual([server.counts, told], [2, []]);
      server.waiting = 30;
      for (let second = 0; second < 2; second++) await check({ last: 200, missing: 20 });
      assert.deepEqual([server.counts, told], [3, [{ from: 11, to: 200, atMost: 20 }]]);
      server.waiting = 25;
      for (let second = 0; second < 2; second++) await check({ last: 203, missing: 25 });
      assert.deepEqual(told.slice(1), [{ from: 11, to: 203, atMost: 8 }], '3 messages were stored meanwhile');
    });

    it('a reader is replaced only after a count has shown a loss', async () => {
      const { told, server, check } = await resting(50);
      for (let second = 0; second < 4; second++) await check({});
      server.waiting = 60;
      for (let second = 0; second < 2; second++) await check({});
      assert.equal(server.replaced, 0);
      server.waiting = 0;
      for (let second = 0; second < 2; second++) await check({ missing: 60 });
      assert.deepEqual([told.length, server.replaced], [1, 1]);
    });

    it('messages that were stored since the last count may be lost, too', async () => {
      const { told, server, check } = await resting(5);
      server.waiting = undefined;
      await check({ last: 100 });
      await check({ last: 150, first: 61 });
      assert.deepEqual(told, [{ from: 11, to: 60, atMost: 50 }]);
      await check({ last: 150, first: 63 });
      assert.deepEqual(told.slice(1), [{ from: 61, to: 62, atMost: 2 }]);
    });

    it('a loss at the beginning of the stream and a fall of the waiting messages count once', async () => {
      const { told, server, check } = await resting(50);
      await check({ last: 100 });
      server.waiting = 20;
      for (let second = 0; second < 5; second++) await check({ last: 100, first: 61 });
      assert.deepEqual(told, [{ from: 11, to: 60, atMost: 50 }]);
    });

    it('a loss of waiting messages does not settle the messages that still wait', async () => {
      const { watch, told, server, check } = await resting(50);
      await check({ last: 100 });
      server.waiting = 45;
      for (let second = 0; second < 5; second++) await check({ last: 100, missing: 5 });
      assert.deepEqual(told, [{ from: 11, to: 100, atMost: 5 }]);
      assert.equal(watch.state.settledTo, 10);
      assert.equal(watch.passed.sequence, 0);
      await check({ last: 100, first: 51, missing: 0 });
      assert.deepEqual(told.slice(1), [{ from: 11, to: 50, atMost: 40 }]);
    });
  });

  it('the position may pass a reported loss', async () => {
    const { watch, asked, told } = bench();
    watch.opened(0);
    const started = watch.start();
    asked[0]?.answer({ first: 51, last: 50 });
    await started;
    assert.deepEqual(told, [{ from: 11, to: 50, atMost: 40 }]);
    assert.equal(watch.passed.sequence, 50);
  });

  it('a jump is a loss if the stream begins in it, even if a stopped process noticed the end of its request only when it sent the next one', async () => {
    const { clock, watch, asked, told, reading } = bench();
    watch.opened(0);
    watch.came(40, reading.received, 0, { from: clock.now(), until: clock.now() });
    Object.assign(reading, { received: 40, waiting: 0 });
    const settled = watch.settle();
    asked[0]?.answer({ first: 38 });
    assert.equal(await settled, true);
    assert.deepEqual(told, [{ from: 11, to: 37, atMost: 27 }]);
  });

  describe('if the number of waiting messages may be wrong', () => {
    /** Messages arrive while a request is open. Afterwards, a jump in the sequences can mean a loss only on an old server. */
    const onOldServer = () => {
      const { clock, watch, reading, ...rest } = bench();
      watch.opened(5);
      const arrives = (sequence: number, waiting: number): void => {
        watch.came(sequence, reading.received, waiting, {
          from: clock.now(),
          until: clock.now(),
          isDoubtful: true,
        });
        Object.assign(reading, { received: sequence, waiting });
      };
      return { ...rest, watch, arrives };
    };

    it('a jump in which the stream begins is a loss while messages wait', async () => {
      const { watch, arrives, asked, told } = onOldServer();
      arrives(11, 4);
      arrives(40, 3);
      const settled = watch.settle();
      asked[0]?.answer({ first: 38 });
      assert.equal(await settled, true);
      assert.deepEqual(told, [{ from: 11, to: 37, atMost: 27 }]);
    });

    it('no jump is a loss if no message waits in the end', async () => {
      const { watch, arrives, asked, told } = onOldServer();
      for (const [sequence, waiting] of [
        [12, 4],
        [14, 3],
        [16, 2],
        [18, 1],
        [20, 0],
      ] as const)
        arrives(sequence, waiting);
      assert.equal(await watch.settle(), true);
      assert.deepEqual([asked.length, told], [0, []]);
    });
  });

  it('the search for losses keeps a limited number of jumps', () => {
    const { watch, came } = bench();
    for (let sequence = 12; sequence <= 2_012; sequence += 2) came(sequence);
    const { jumps } = watch.state;
    assert.ok(jumps.length <= 100, String(jumps.length));
    assert.equal(
      jumps.reduce((sum, { skipped }) => sum + skipped, 0),
      1_001,
    );
    assert.deepEqual([jumps[0]?.from, jumps.at(-1)?.to], [10, 2_012]);
  });
});
