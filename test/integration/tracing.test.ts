import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  createPublisher,
  type HandleTrace,
  PublishError,
  type PublishTrace,
  textOf,
} from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

async function listening(
  name: string,
  told: (event: (typeof EVENTS)[number], about: object) => void,
  run: () => Promise<void>,
): Promise<void> {
  const listeners = EVENTS.map((event) => {
    const listener = (about: unknown) => told(event, Object(about));
    subscribe(`tracing:natspoc:${name}:${event}`, listener);
    return () => unsubscribe(`tracing:natspoc:${name}:${event}`, listener);
  });
  try {
    await run();
  } finally {
    for (const stop of listeners) stop();
  }
}

describe('tracing', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('tracing reports that a message is published and handled, and a subscriber may add headers', async () => {
    const published: string[] = [];
    const handled: string[] = [];
    const onPublish = (event: string, about: Partial<PublishTrace>) => {
      if (event === 'start' && about.headers)
        about.headers.traceparent = `00-${textOf(Object(about.message).data)}`;
      published.push(`${event} ${about.result?.sequence ?? ''}`.trim());
    };
    const onHandle = (event: string, about: Partial<HandleTrace>) => {
      const { group, stream, partition, attempt, messages, headers } = about;
      assert.deepEqual(
        [group, stream, partition, attempt, messages?.length],
        ['default', stage.stream, 0, 1, 1],
      );
      handled.push(`${event} ${headers?.traceparent}`);
    };
    let seen: string | undefined;
    await listening('publish', onPublish, () =>
      listening('handle', onHandle, async () => {
        const publisher = await createPublisher(stage.place(1));
        const data = new TextEncoder().encode('7');
        await publisher.publish({ data, headers: { 'X-Own': 'kept' } });
        await publisher.close();
        const member = await stage.join(
          {
            handler: async (_message, { headers }) => {
              await new Promise((resolve) => setTimeout(resolve, 1));
              seen = `${headers['X-Own']} ${headers.traceparent}`;
            },
          },
          1,
        );
        await until('the message is handled', () => member.counters.handled === 1);
      }),
    );
    assert.deepEqual(published, ['start', 'end', 'asyncStart 1', 'asyncEnd 1']);
    assert.equal(seen, 'kept 00-7');
    assert.deepEqual(handled, ['start 00-7', 'end 00-7', 'asyncStart 00-7', 'asyncEnd 00-7']);
  });

  it('tracing reports errors, and does not change them', async () => {
    const errors: unknown[] = [];
    const told = (event: string, about: { error?: unknown }) => event === 'error' && errors.push(about.error);
    await listening('publish', told, () =>
      listening('handle', told, async () => {
        const publisher = await createPublisher(stage.place(1));
        await assert.rejects(publisher.publish({ data: 'x', partition: 9 }), { code: 'usage' });
        await assert.rejects(publisher.publish({ data: 7 as never }), { code: 'usage' });
        await publisher.publish({ data: 'x' });
        await publisher.close();
        const bug = new Error('no');
        const member = await stage.join(
          {
            handler: () => {
              throw bug;
            },
            maxAttempts: 1,
            onFailure: 'skip',
          },
          1,
        );
        await until('the message is skipped', () => member.counters.skipped === 1);
        assert.deepEqual(errors.slice(1), [bug]);
      }),
    );
    assert.ok(errors[0] instanceof PublishError);
  });

  it('tracing reports a batch once', async () => {
    const batches: number[] = [];
    await stage.publish(
      [
        ['a', '1'],
        ['a', '2'],
        ['a', '3'],
      ],
      1,
    );
    const told = (event: string, { messages }: Partial<HandleTrace>) =>
      event === 'start' && batches.push(messages?.length ?? 0);
    await listening('handle', told, async () => {
      const member = await stage.join({ batchHandler: () => {}, batch: { messages: 3, waitMs: 5_000 } }, 1);
      await until('the messages are handled', () => member.counters.handled === 3);
    });
    assert.deepEqual(batches, [3]);
  });

  it('the stats of a member are plain data', async () => {
    const member = await stage.join({ handler: () => {} }, 1);
    await stage.publish([['a', '1']], 1);
    await until('the message is handled', () => member.stats.handled === 1);
    const { partitions, stream } = member.stats;
    assert.deepEqual(
      [stream, partitions.map(({ partition, lag }) => [partition, lag])],
      [stage.stream, [[0, 0]]],
    );
  });
});
