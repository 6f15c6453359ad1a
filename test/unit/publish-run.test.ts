import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { PublishRun, type PublishRunOptions } from '../../src/cli/publish/run.js';
import type { MessageSource } from '../../src/cli/publish/source.js';
import type { OutgoingMessage } from '../../src/core/publisher/types.js';
import { ManualClock } from '../support/manual-clock.js';
import { ModelStream } from '../support/model-stream.js';

/** A source that has only the messages that a test gives. */
class Pipe implements MessageSource {
  readonly skipped = 0;
  closed = false;
  #give: (message: OutgoingMessage | undefined) => void = () => {};

  next(): Promise<OutgoingMessage | undefined> {
    return new Promise((resolve) => {
      this.#give = resolve;
    });
  }

  async give(data: string | undefined): Promise<void> {
    this.#give(data === undefined ? undefined : { data });
    await turn();
  }

  close(): void {
    this.closed = true;
  }
}

function start(options: Partial<PublishRunOptions> = {}) {
  const clock = new ManualClock();
  const stream = new ModelStream();
  const source = new Pipe();
  const layout = { prefix: 'test', partitions: 4 };
  const run = new PublishRun({ layout, openPort: stream.open, clock, source, onFailure: 'stop', ...options });
  const result = run.run();
  const roundTrip = async () => {
    stream.handle();
    stream.answer();
    await turn();
  };
  return { clock, stream, source, result, roundTrip };
}

describe('PublishRun with a slow source', () => {
  for (const rate of [undefined, 10]) {
    it(`latency counts from the arrival of a message, ${rate ? 'with' : 'without'} a rate`, async () => {
      const { clock, source, result, roundTrip } = start({ rate });
      clock.advance(700);
      await source.give('a');
      clock.advance(5);
      await roundTrip();
      await source.give(undefined);
      const { latency, confirmed } = await result;
      assert.deepEqual([confirmed, latency.max], [1, 5]);
    });
  }

  it('a run with a slow source ends when its duration is over', async () => {
    const { clock, source, result } = start({ durationMs: 1_000 });
    await turn();
    clock.advance(1_000);
    const { stopped, confirmed, firstError } = await result;
    assert.deepEqual([stopped, confirmed, firstError], [null, 0, null]);
    assert.ok(source.closed);
    assert.equal(clock.timers, 0);
  });

  it('a run with a slow source ends when it is stopped', async () => {
    const controller = new AbortController();
    const { source, result } = start({ signal: controller.signal });
    await turn();
    controller.abort();
    assert.equal((await result).stopped, 'signal');
    assert.ok(source.closed);
  });
});
