import assert from 'node:assert/strict';
import { PartitionReader } from '../../src/core/member/partition/partition-reader.js';
import { FakeStream, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

/** A reader of partition 0 that starts after sequence 10. */
async function bench() {
  const clock = new ManualClock();
  const stream = new FakeStream();
  const ignored = (): void => {};
  const reader = new PartitionReader(
    { sequence: 10 },
    { messages: 100, bytes: 10_000 },
    {
      ...{ clock, stream, events: {}, partition: 0, name: 'r', concurrency: 1 },
      random: () => 0,
      progress: { waiting: () => 0, handledUpTo: () => 10 },
    },
    {
      ...{ message: ignored, rests: ignored, opened: ignored, trimmed: ignored },
      ...{ failed: assert.fail, mistrusted: assert.fail, terminal: assert.fail },
    },
  );
  await reader.open();
  const pass = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await settle();
      clock.advance(1_000);
    }
  };
  return { stream, reader, pass };
}

describe('the reader of a partition', () => {
  it('another reader is opened if a count has shown a loss', async () => {
    const { stream, reader, pass } = await bench();
    reader.replace();
    await pass();
    assert.equal(stream.opened.length, 2);
  });

  it('only one other reader is opened if the reader has just failed', async () => {
    const { stream, reader, pass } = await bench();
    stream.fault('broken');
    reader.replace();
    await pass();
    assert.equal(stream.opened.length, 2);
  });
});
