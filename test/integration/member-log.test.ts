import assert from 'node:assert/strict';
import type { Logger } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

/** A logger that stores its lines as pino and console get them. */
function keeping() {
  const lines: { level: string; fields: Record<string, unknown>; text: string }[] = [];
  const at = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, fields: { ...fields }, text });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { lines, logger };
}

describe('the log of a member', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('the log has one line with fields for a message that failed permanently', async () => {
    const { lines, logger } = keeping();
    await stage.publish([['a', 'x']], 1);
    const error = new Error('no\nway');
    const fails = (): never => {
      throw error;
    };
    await stage.join({ handler: fails, maxAttempts: 1, logger }, 1);
    await until('the failure is logged', () => lines.length > 0);
    const [{ level, fields, text } = assert.fail()] = lines;
    assert.deepEqual([level, text], ['error', 'halted p0: message 1 failed: no\\u000away']);
    assert.deepEqual([fields.event, fields.group, fields.partition], ['halted', 'default', 0]);
    assert.deepEqual([fields.sequence, fields.attempt, fields.err], [1, 1, error]);
  });

  it('log lines of a handler have the partition and sequence of its message', async () => {
    const { lines, logger } = keeping();
    await stage.publish([['a', 'x']], 1);
    await stage.join({ handler: (_message, { log }) => log.info('hello'), logger }, 1);
    await until('the line is logged', () => lines.length > 0);
    const [{ fields, text } = assert.fail()] = lines;
    assert.equal(text, 'p0 #1: hello');
    assert.deepEqual([fields.partition, fields.sequence, fields.attempt], [0, 1, 1]);
  });

  it('listeners that throw or reject are logged, and the other listeners and the member continue', async () => {
    const { lines, logger } = keeping();
    const heard: number[] = [];
    await stage.publish([['a', 'x']], 1);
    const member = await stage.join(
      {
        handler: () => {},
        logger,
        listen: (events) => {
          events.on('handled', () => {
            throw new Error('a bug');
          });
          events.once('handled', async () => {
            throw new Error('another bug');
          });
          events.on('handled', ({ message }) => heard.push(message.sequence));
        },
      },
      1,
    );
    await until('the message is committed', () => member.partitions.some(({ committed }) => committed > 0));
    assert.deepEqual(heard, [1]);
    assert.deepEqual(
      lines.map(({ level, text }) => `${level} ${text}`),
      [
        'error a listener of the event handled failed: a bug',
        'error a listener of the event handled failed: another bug',
      ],
    );
  });

  it('a logger that throws fails no handler and ends no member', async () => {
    const thrown = (): never => {
      throw new Error('full disk');
    };
    const logger: Logger = { debug: thrown, info: thrown, warn: thrown, error: thrown };
    await stage.publish([['a', 'x']], 1);
    const member = await stage.join(
      {
        handler: (_message, { log }) => log.info('hello'),
        logger,
        listen: (events) => events.on('handled', thrown),
      },
      1,
    );
    await until('the message is committed', () => member.partitions.some(({ committed }) => committed > 0));
    assert.deepEqual([member.counters.handled, member.counters.failed], [1, 0]);
  });

  // This test is last, because the shared connection needs a moment to reconnect.
  it('the log reports that the connection broke, and that it was restored', async () => {
    const { lines, logger } = keeping();
    const { server, stream } = stage;
    await stage.join({ connection: undefined, servers: server.url, stream, handler: () => {}, logger }, 1);
    await server.restart();
    const texts = () => lines.map(({ text }) => text);
    await until('the connection is back', () => texts().some((text) => /^connected to NATS at /.test(text)));
    const address = server.url.replace('nats://', '');
    assert.equal(texts().filter((text) => text.startsWith(`disconnected from NATS at ${address}`)).length, 1);
    const back = texts().find((text) => text.startsWith('connected to NATS'));
    assert.match(back ?? '', new RegExp(`^connected to NATS at ${address} again after `));
  });
});
