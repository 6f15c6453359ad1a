import assert from 'node:assert/strict';
import { KeyedMessages } from '../../src/core/admin/keyed-messages.js';

const PARTITIONS = 3;

/** A keyed group over a stream. Every third sequence is one of its messages. `reads` counts the messages that were read. */
function streamOf(count: number) {
  const messages = Array.from({ length: count }, (_, i) => ({
    sequence: 3 * i + 1,
    partition: (i * i) % PARTITIONS,
  }));
  const state = { reads: 0 };
  const after = (sequence: number) => messages.filter((each) => each.sequence > sequence);
  const observer = {
    waiting: async (partition: number, at: number) => {
      const ofGroup = after(at).length;
      return { partition, after: at, count: Math.ceil(ofGroup / PARTITIONS), ofGroup };
    },
  };
  const reads = {
    key: 'subject:2',
    isFound: true,
    async *placed(from: number, upTo: number) {
      for (const each of after(from)) {
        if (each.sequence > upTo) return;
        state.reads++;
        yield each;
      }
    },
  };
  const facts = { firstSequence: 1, lastSequence: 3 * count };
  return { messages, state, facts, keyed: new KeyedMessages(observer, reads, PARTITIONS, facts) };
}

describe('messages of a keyed group', () => {
  const sequencesOf = (messages: ReturnType<typeof streamOf>['messages'], partition: number): number[] =>
    messages.filter((each) => each.partition === partition).map(({ sequence }) => sequence);

  it('messages of a keyed group are found by number across blocks, backwards and forwards, and read once for all partitions', async () => {
    const { messages, state, keyed, facts } = streamOf(19_000);
    const end = facts.lastSequence;
    for (const partition of [0, 1]) {
      const mine = sequencesOf(messages, partition);
      const counts = keyed.of(partition);
      for (const wanted of [1, 20, 3_000, mine.length]) {
        const passed = { messages: wanted, isEstimate: false };
        assert.deepEqual(await counts.back(0, end, wanted), { to: (mine.at(-wanted) ?? 0) - 1, passed });
        assert.deepEqual(await counts.forward(0, end, wanted), { to: mine[wanted - 1], passed });
      }
      const all = { messages: mine.length, isEstimate: false };
      assert.deepEqual(await counts.back(0, end, 50_000), { to: 0, passed: all });
      assert.deepEqual(await counts.forward(0, end, 50_000), { to: mine.at(-1), passed: all });
      assert.deepEqual(await counts.between(0, end), all);
      const within = mine.filter((sequence) => sequence > 10_000 && sequence <= 40_000).length;
      assert.deepEqual(await counts.between(10_000, 40_000), { messages: within, isEstimate: false });
    }
    assert.equal(state.reads, messages.length);
    assert.equal((await keyed.of(2).between(0, end)).messages, 0);
    assert.equal((await keyed.of(null).back(0, end, 7)).to, (messages.at(-7)?.sequence ?? 0) - 1);
  });

  it('a long range is estimated from its last messages, and the estimate is no more than the messages of the range', async () => {
    const { messages, state, keyed, facts } = streamOf(60_000);
    const estimates = await Promise.all(
      [0, 1, 2].map((each) => keyed.of(each).between(0, facts.lastSequence)),
    );
    assert.ok(estimates.every(({ isEstimate }) => isEstimate));
    const [first = 0, second = 0, none = 0] = estimates.map((each) => each.messages);
    assert.ok(Math.abs(first - 20_000) < 200, `${first}`);
    assert.ok(first + second <= messages.length, `${first} + ${second}`);
    assert.equal(none, 1);
    assert.ok(state.reads <= 25_000, `${state.reads} read`);
  });

  it('messages of a keyed group are read only as far as needed', async () => {
    const { state, keyed, facts } = streamOf(60_000);
    const read = await keyed.of(0).back(0, facts.lastSequence, 20);
    assert.equal(read.passed?.messages, 20);
    assert.ok(state.reads <= 8_192, `${state.reads} read`);
  });
});
