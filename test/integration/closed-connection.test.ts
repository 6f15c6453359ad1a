import assert from 'node:assert/strict';
import { connect } from 'nats';
import { joinGroup, NatspocError, openStream } from '../../src/core/index.js';
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
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof NatspocError, `${name}: ${String(error)}`);
        assert.doesNotMatch(error.message, /CONNECTION_CLOSED/, name);
        return true;
      });
    }
    follower.stop();
    await member.leave();
    await own.close();
  });
});
