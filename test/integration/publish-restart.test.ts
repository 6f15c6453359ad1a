import assert from 'node:assert/strict';
import { PublishRun, type PublishSummary } from '../../src/cli/publish/run.js';
import { generatedSource } from '../../src/cli/publish/source.js';
import { type Config, loadConfig } from '../../src/core/config/config.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import { openTopology } from '../../src/core/nats/stream/topology.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const MESSAGES = 60_000;

/** The numbers of the stream's messages, by partition, in the order of their sequences. */
async function storedNumbers(connection: NatsConnection, stream: string): Promise<Map<string, number[]>> {
  const js = connection.jetstream();
  const { state } = await (await js.streams.get(stream)).info();
  const stored = new Map<string, number[]>();
  if (state.messages === 0) return stored;
  const consumer = await js.consumers.get(stream);
  const messages = await consumer.consume({ max_messages: 5_000 });
  for await (const message of messages) {
    const numbers = stored.get(message.subject) ?? [];
    stored.set(message.subject, numbers);
    numbers.push(Number(message.string()));
    if (message.seq === state.last_seq) break;
  }
  return stored;
}

describe('publishing while the server is killed and restarted', () => {
  const server = withServer();
  const configFor = (stream: string): Config =>
    loadConfig({
      flags: { server: server.url, stream, prefix: `test.${stream}`, timeoutMs: '20s' },
      env: {},
    });

  let notes: string[];
  beforeEach(() => {
    notes = [];
  });

  /** Publishes numbers at full speed, while the server is killed twice. */
  async function publishThroughKills(config: Config, dedupe: boolean): Promise<PublishSummary> {
    const connection = await connectNats(config, 'test');
    try {
      const { layout, stream } = await openTopology(connection, config, { create: true });
      const run = new PublishRun({
        layout,
        openPort: natsPublishPort(connection, { stream }),
        source: generatedSource({ template: '{{Count}}' }, { keys: 100 }),
        maxMessages: MESSAGES,
        timeoutMs: config.timeoutMs,
        dedupe,
        onFailure: 'stop',
        note: (line) => notes.push(line),
      });
      const done = run.run();
      for (const part of [0.25, 0.6]) {
        await until(
          'enough is confirmed',
          () => run.publisher.counters.confirmed > MESSAGES * part,
          config.timeoutMs,
        );
        await server.kill();
        await server.start();
      }
      return await done;
    } finally {
      await connection.close();
    }
  }

  async function stored(config: Config): Promise<Map<string, number[]>> {
    const connection = await connectNats(config, 'test');
    try {
      return await storedNumbers(connection, config.stream);
    } finally {
      await connection.close();
    }
  }

  it('with message ids, each message is stored once and in order', async function () {
    this.timeout(60_000);
    const config = configFor('ONCE');
    const summary = await publishThroughKills(config, true);
    assert.equal(summary.confirmed, MESSAGES);
    assert.equal(summary.rejected + summary.unknown + summary.maybeTwice + summary.reordered, 0);
    assert.ok(summary.retried > 0, 'the kills hit messages in flight');
    assert.equal(summary.disconnects, 2);
    const address = server.url.replace('nats://', '');
    const told = notes.map((line) =>
      line.replace(/ \(.*\)|: reconnecting$/g, '').replace(/ after .*/, ' after …'),
    );
    const once = [`disconnected from NATS at ${address}`, `connected to NATS at ${address} again after …`];
    assert.deepEqual(told, [...once, ...once]);
    const partitions = [...(await stored(config)).values()];
    assert.deepEqual(
      partitions.flat().sort((a, b) => a - b),
      Array.from({ length: MESSAGES }, (_, index) => index + 1),
    );
    for (const numbers of partitions)
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
  });

  it('without message ids, a report counts the messages that may be stored twice, and first copies keep their order', async function () {
    this.timeout(60_000);
    const config = configFor('TWICE');
    const summary = await publishThroughKills(config, false);
    assert.equal(summary.confirmed, MESSAGES);
    assert.ok(summary.maybeTwice > 0, 'the kills hit messages in flight');
    const partitions = [...(await stored(config)).values()];
    const copies = partitions.flat().length;
    const firsts = partitions.map((numbers) => [...new Set(numbers)]);
    assert.equal(firsts.flat().length, MESSAGES);
    assert.ok(
      copies - MESSAGES <= summary.maybeTwice,
      `${copies - MESSAGES} twice, ${summary.maybeTwice} reported`,
    );
    for (const numbers of firsts)
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
  });
});
