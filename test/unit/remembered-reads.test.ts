import assert from 'node:assert/strict';
import { RememberedReads } from '../../src/core/admin/remembered-reads.js';
import type { StreamFacts } from '../../src/core/ports/facts.js';
import { streamFacts } from '../top/support.js';

describe('remembered reads', () => {
  /** A stream of one partition, in which 4 messages were handled. */
  class Stream {
    stored = 10;
    last = 10;
    asked = 0;

    get facts(): StreamFacts {
      return { ...streamFacts(1), messages: this.stored, lastSequence: this.last, counts: [this.stored] };
    }
    add(messages: number): void {
      this.stored += messages;
      this.last += messages;
    }
    waiting = async (partition: number, after: number) => {
      this.asked++;
      return { partition, after, count: this.last - after, storedAtMs: 1_000 };
    };
  }

  async function counted(): Promise<{
    stream: Stream;
    reads: RememberedReads;
    count: (after?: number) => Promise<number>;
  }> {
    const stream = new Stream();
    const reads = new RememberedReads();
    const count = async (after = 4): Promise<number> =>
      (await reads.waiting(stream, stream.facts, 0, after)).count;
    assert.equal(await count(), 6);
    return { stream, reads, count };
  }

  it('messages of a partition are counted once while its position stays the same, and later messages are added', async () => {
    const { stream, reads, count } = await counted();
    await reads.settle(async () => stream.facts);
    stream.add(5);
    assert.equal(await count(), 11);
    assert.equal(stream.asked, 1);
  });

  it('a partition that changed while it was counted is counted again', async () => {
    const { stream, reads, count } = await counted();
    stream.add(1);
    await reads.settle(async () => stream.facts);
    assert.equal(await count(), 7);
    assert.equal(stream.asked, 2);
  });

  it('a partition is counted again after a commit, after a loss of messages, and when all messages are handled', async () => {
    const { stream, reads, count } = await counted();
    await reads.settle(async () => stream.facts);
    assert.equal(await count(5), 5);
    await reads.settle(async () => stream.facts);
    stream.stored -= 2;
    assert.equal(await count(5), 5);
    assert.equal(stream.asked, 3);
    await count(10);
    await reads.settle(async () => stream.facts);
    stream.add(1);
    assert.equal(await count(10), 1);
    assert.equal(stream.asked, 5);
  });

  it('the message of a position is looked up once', async () => {
    const reads = new RememberedReads();
    let asked = 0;
    const observer = { storedTime: async (sequence: number) => sequence * 100 + asked++ };
    assert.equal(await reads.storedTime(observer, 3), 300);
    assert.equal(await reads.storedTime(observer, 3), 300);
  });
});
