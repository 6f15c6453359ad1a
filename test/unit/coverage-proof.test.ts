import assert from 'node:assert/strict';
import { CoverageProof } from '../../src/core/member/partition/coverage-proof.js';
import { TrimWatch } from '../../src/core/member/partition/stream-losses.js';
import type { StreamBounds } from '../../src/core/ports/index.js';
import { ManualClock } from '../support/manual-clock.js';

/** A partition whose last message, 3, was received. The stream ends at 50. Its newest message of the partition is 3. */
async function bench(given: Partial<StreamBounds> = {}) {
  const clock = new ManualClock();
  const state: StreamBounds = {
    first: 1,
    last: 50,
    missing: 0,
    mostPerSubject: 0,
    lastStoredMs: 1_000,
    ...given,
  };
  const reading = { received: 3, waiting: 0 };
  const server: { newest: number | undefined; asked(what: string): void } = { newest: 3, asked() {} };
  const told: string[] = [];
  const asked: string[] = [];
  const stream = {
    bounds: async (since?: number) => {
      asked.push(since === clock.now() ? 'bounds' : 'recent bounds');
      server.asked('bounds');
      return { kind: 'ok' as const, ...state };
    },
    newest: async () => {
      asked.push('newest');
      const { newest } = server;
      server.asked('newest');
      return newest;
    },
  };
  const trimWatch = new TrimWatch(3, 0, {
    clock,
    stream,
    reading: () => reading,
    cleared: async () => undefined,
    trimmed: ({ from, to }) => told.push(`lost ${from}-${to}`),
  });
  await trimWatch.start();
  asked.length = 0;
  const proof = new CoverageProof({ clock, stream, partition: 0, trimWatch });
  return { clock, state, reading, server, told, asked, trimWatch, prove: () => proof.prove() };
}

describe('the proof that a partition got no messages', () => {
  it('the end of the stream is proved if the newest message of the partition was received', async () => {
    const { prove, asked } = await bench();
    assert.deepEqual(await prove(), { sequence: 50, storedMs: 1_000 });
    assert.deepEqual(asked, ['recent bounds', 'bounds', 'newest', 'bounds']);
  });

  it('messages that the stream drops up to the proved end do not count as lost', async () => {
    const { prove, state, told, trimWatch } = await bench();
    await prove();
    Object.assign(state, { first: 51, last: 60 });
    trimWatch.came(60, 3, 0, { from: Number.NEGATIVE_INFINITY, until: 0 });
    assert.ok(await trimWatch.settle());
    assert.deepEqual(told, []);
  });

  it('nothing is proved while a message of the partition is not received', async () => {
    const { prove, server, reading } = await bench();
    server.newest = 49;
    assert.equal(await prove(), undefined, 'the message is on its way');
    server.newest = undefined;
    assert.equal(await prove(), undefined, 'the server does not tell');
    server.newest = 3;
    reading.waiting = 1;
    assert.equal(await prove(), undefined, 'the message waits on the server');
    reading.waiting = 0;
    assert.ok(await prove());
  });

  it('a message that is stored during the proof is not passed over', async () => {
    for (const after of ['bounds', 'newest']) {
      const { prove, server, state, asked } = await bench();
      server.asked = (what) => {
        if (what !== after || (what === 'bounds' && asked.length !== 2)) return;
        state.last = 51;
        server.newest = 51;
      };
      const proved = await prove();
      assert.ok((proved?.sequence ?? 0) < 51, `stored after the answer of ${after}`);
    }
  });

  it('nothing is proved if a message arrives during the proof', async () => {
    const { prove, server, reading } = await bench();
    server.asked = (what) => {
      if (what === 'newest') reading.received = 51;
    };
    assert.equal(await prove(), undefined);
  });

  it('nothing is proved if the stream may have dropped a message of the partition unread', async () => {
    const { prove, server, state } = await bench();
    server.asked = (what) => {
      if (what === 'newest') state.first = 5;
    };
    assert.equal(await prove(), undefined);
  });

  it('nothing is proved by answers of two leaders, or of two streams', async () => {
    for (const changed of [{ leader: 'n2' }, { last: 49 }, { created: 2 }]) {
      const { prove, server, state } = await bench({ leader: 'n1', created: 1 });
      server.asked = (what) => {
        if (what === 'newest') Object.assign(state, changed);
      };
      assert.equal(await prove(), undefined, JSON.stringify(changed));
    }
  });

  it('nothing is proved again for 10 s while the position is in the newer half of the stream', async () => {
    const { prove, asked, clock, state } = await bench();
    assert.equal((await prove())?.sequence, 50);
    state.last = 60;
    asked.length = 0;
    clock.advance(9_999);
    assert.equal(await prove(), undefined);
    assert.deepEqual(asked, ['recent bounds']);
    clock.advance(1);
    assert.equal((await prove())?.sequence, 60);
    clock.advance(60_000);
    assert.equal(await prove(), undefined, 'the stream has not grown');
  });

  it('the proof is repeated earlier if the position comes into the older half of the stream', async () => {
    const { prove, state } = await bench();
    await prove();
    state.last = 99;
    assert.equal(await prove(), undefined);
    state.last = 100;
    assert.equal((await prove())?.sequence, 100);
  });

  it('the proof is repeated after half of the maximum age if that is less than 10 s', async () => {
    const { prove, clock, state } = await bench({ maxAgeMs: 10_000 });
    assert.equal((await prove())?.sequence, 50);
    state.last = 60;
    clock.advance(4_999);
    assert.equal(await prove(), undefined);
    clock.advance(1);
    assert.equal((await prove())?.sequence, 60);
  });
});
