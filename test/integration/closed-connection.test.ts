import assert from 'node:assert/strict';
import { connect } from 'nats';
import { createPublisher, joinGroup, NatspocError, openStream } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('an operator whose connection is closed', function () {
  this.timeout(30_000);
  const server = withServer();

  it('every method of a stream and its groups rejects with the error of this library, not with an error of the client', async () => {
    const own = await connect({ servers: server.url });
    const member = await joinGroup({
      connection: own,
      stream: 'C',
      partitions: 1,
      logger: false,
      handler() {},
    });
    const connection = await connect({ servers: server.url });
    const stream = await openStream({ connection, stream: 'C' });
    const group = stream.group('default');
    const follower = group.follow();
    await until('the owner is known', () => follower.ownerOf(0) !== null);
    await connection.close();
    const calls: Record<string, () => Promise<unknown>> = {
      groups: () => stream.groups(),
      status: () => stream.status(),
      sweep: () => stream.sweep(),
      message: () => stream.message(1),
      planTrim: () => stream.planTrim(['default']),
      purge: () => stream.purge(0, null),
      redrive: () => stream.redrive({}),
      'group status': () => group.status(),
      history: () => group.history(0),
      planSeek: () => group.planSeek([0], { kind: 'time', time: new Date(0) }),
      release: () => group.release(follower, [0]),
      retry: () => group.retry(follower, [0]),
      pause: () => group.pause(follower, [0], true),
      until: () => follower.until(() => false, 60_000),
      joinGroup: () => joinGroup({ connection, stream: 'C', logger: false, handler() {} }),
      createPublisher: () => createPublisher({ connection, stream: 'C' }),
      openStream: () => openStream({ connection, stream: 'C' }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof NatspocError, `${name}: ${String(error)}`);
        assert.doesNotMatch(error.message, /CONNECTION_CLOSED/, name);
        return true;
      });
    }
    for (const name of ['until', 'joinGroup', 'createPublisher', 'openStream'])
      await assert.rejects(calls[name] ?? (() => Promise.resolve()), {
        code: 'unreachable',
        message: 'The connection to NATS was closed by this process: open another one.',
      });
    follower.stop();
    await member.leave();
    await own.close();
  });

  it('a running resize and a running wait reject when the connection is closed', async () => {
    const own = await connect({ servers: server.url });
    let isCalled = false;
    const member = await joinGroup({
      connection: own,
      stream: 'R',
      prefix: 'R.e',
      partitions: 1,
      drainTimeoutMs: 60_000,
      logger: false,
      async handler(_, { signal }) {
        isCalled = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    const publisher = await createPublisher({ connection: own, stream: 'R' });
    await publisher.publish({ key: 'a', data: 'x' });
    await until('the handler runs', () => isCalled);
    const connection = await connect({ servers: server.url });
    const group = (await openStream({ connection, stream: 'R' })).group('default');
    const follower = group.follow();
    await until('the owner is known', () => follower.ownerOf(0) !== null);
    const resize = group.resize(follower, 3);
    const wait = follower.until(() => false, 60_000);
    const failures = Promise.all([resize, wait].map((each) => assert.rejects(each, { code: 'unreachable' })));
    await until('the resize is ordered', async () => Boolean((await group.status()).resize));
    await connection.close();
    await failures;
    follower.stop();
    await own.close();
    await assert.rejects(member.closed, { code: 'unreachable' });
  });
});
