import assert from 'node:assert/strict';
import { connect, type Msg, type NatsConnection } from 'nats';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import { PublishError } from '../../src/core/publisher/publish-error.js';
import { Publisher } from '../../src/core/publisher/publisher.js';
import { withServer } from '../support/server.js';

describe('answers to published messages', () => {
  const server = withServer();
  let connection: NatsConnection;
  beforeEach(async () => {
    connection = await connect({ servers: server.url });
  });
  afterEach(() => connection.close());

  /** A publisher, and a program that gives these answers to its messages. */
  function answered(answers: readonly string[]): Publisher {
    const callback = (_: unknown, message: Msg) => {
      for (const answer of answers) message.respond(answer);
    };
    connection.subscribe('test.p.*', { callback });
    const openPort = natsPublishPort(connection, { stream: 'TEST' });
    return new Publisher({ layout: { prefix: 'test', partitions: 1 }, openPort, timeoutMs: 500 });
  }

  it('a message is confirmed if another program answers before the stream', async () => {
    const publisher = answered(['hello', '{"stream":"TEST","seq":7}']);
    assert.equal((await publisher.publish({ data: 'x' })).sequence, 7);
  });

  it('a message may be stored if only another program has answered', async () => {
    await assert.rejects(answered(['hello']).publish({ data: 'x' }), (error) => {
      assert.ok(error instanceof PublishError);
      assert.equal(error.stored, 'unknown');
      assert.match(error.message, /an answer that does not come from JetStream: "hello"/);
      return true;
    });
  });
});
