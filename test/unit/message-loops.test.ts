import assert from 'node:assert/strict';
import type { Handler } from '../../src/core/member/partition/handler.js';
import { MessageLoops } from '../../src/core/member/partition/message-loops.js';
import { settle } from '../support/fake-partition.js';
import { WorkBench } from '../support/work-bench.js';

/** Several partitions whose messages are decoded before the loops get them, and the decodings that still run. */
class Decoding {
  readonly loops = new MessageLoops();
  readonly pending: { sequence: number; done: () => void; failed: (error: Error) => void }[] = [];
  hasLeft = false;
  readonly #handler: Handler = async (message, context) => {
    await new Promise<void>((done, failed) =>
      this.pending.push({ sequence: message.sequence, done, failed }),
    );
    return this.loops.handler(message, context);
  };

  partition(...sequences: number[]): WorkBench {
    const bench = new WorkBench(this.#handler, { handlerTimeoutMs: 1_000 }, { slots: this.loops });
    bench.accept(...sequences);
    return bench;
  }

  messages() {
    return this.loops.messages(async () => {
      this.hasLeft = true;
    });
  }

  get sequences(): number[] {
    return this.pending.map(({ sequence }) => sequence);
  }
}

describe('the loops of a member', () => {
  it('no more messages are decoded at the same time than loops ask for', async () => {
    const decoding = new Decoding();
    const [one, other] = [decoding.partition(1, 3), decoding.partition(2)];
    const loop = decoding.messages();
    const first = loop.next();
    await settle();
    assert.deepEqual(decoding.sequences, [1]);
    assert.match(decoding.loops.reason, /still being prepared/);
    decoding.pending.shift()?.done();
    assert.equal((await first).value?.[0].sequence, 1);
    assert.match(decoding.loops.reason, /has not asked for the next message/);
    assert.deepEqual(decoding.sequences, []);
    await loop.return();
    await settle();
    assert.equal(decoding.hasLeft, true);
    // The drains of both partitions end at once, because no call waits for a loop.
    assert.deepEqual([one.work.running, other.work.running], [[], []]);
    assert.deepEqual([one.log, other.log], [[], []]);
  });

  it('after a message that cannot be decoded, a loop gets the message of another partition', async () => {
    const decoding = new Decoding();
    const one = decoding.partition(1);
    decoding.partition(2);
    const next = decoding.messages().next();
    await settle();
    decoding.pending.shift()?.failed(new Error('no JSON'));
    await settle();
    assert.deepEqual(one.log, ['failed 1 #1 Error: no JSON halt']);
    decoding.pending.shift()?.done();
    assert.equal((await next).value?.[0].sequence, 2);
  });

  it('a message whose decoding takes longer than the handler timeout is not given to a loop', async () => {
    const decoding = new Decoding();
    const one = decoding.partition(1);
    decoding.partition(2);
    const next = decoding.messages().next();
    await settle();
    one.clock.advance(2_000);
    decoding.pending.shift()?.done();
    await settle();
    assert.deepEqual(one.log, ['failed 1 #1 Error: no result within 1.0 s halt']);
    decoding.pending.shift()?.done();
    assert.equal((await next).value?.[0].sequence, 2);
  });
});
