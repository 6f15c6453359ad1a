import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, type NatsConnection } from 'nats';
import { createPublisher, type GroupMember, joinGroup, NatspocError } from '../../src/core/index.js';
import { MicroIdentities } from '../../src/core/nats/service/control.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** The connection belongs to the program. It may or may not outlive its members. */
describe("a program's own connection", function () {
  this.timeout(20_000);
  const server = withServer();
  let connection: NatsConnection;
  let streams = 0;

  beforeEach(async () => {
    connection = await connect({ servers: server.url });
    streams++;
  });
  afterEach(() => connection.close());

  const join = (): Promise<GroupMember> => {
    const stream = `C${streams}`;
    return joinGroup({ connection, stream, prefix: `${stream}.e`, partitions: 2, handler: () => {} });
  };

  for (const how of ['close', 'drain'] as const) {
    it(`members end when the program calls ${how}() on their connection`, async () => {
      const member = await join();
      await until('the member handles messages', () => member.partitions.length === 2);
      await connection[how]();
      await assert.rejects(member.closed, (error) => {
        assert.ok(error instanceof NatspocError);
        assert.equal(error.code, 'unreachable');
        assert.match(error.message, /closed by this process/);
        return true;
      });
      const { id, partitions, isSettled, standing } = member;
      assert.deepEqual([id, partitions, isSettled, standing], [null, [], false, []]);
      assert.deepEqual(member.problems(), ['not in the group']);
    });
  }

  it('messages that are published during a drain fail in the usual way, without throwing', async () => {
    const stream = `C${streams}`;
    const publisher = await createPublisher({ connection, stream, prefix: `${stream}.e`, partitions: 2 });
    const ends: Promise<unknown>[] = [];
    const draining = connection.drain();
    while (!connection.isClosed()) {
      publisher.send({ data: 'observed' });
      ends.push(publisher.publish({ data: 'awaited' }).catch((error: unknown) => error));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await draining;
    for (const end of await Promise.all(ends)) {
      if (end instanceof Error) assert.ok(end instanceof NatspocError, String(end));
    }
    assert.equal(publisher.pending, 0);
  });

  it('a member ends if it joins while the connection is being closed', async () => {
    const joining = join();
    const closing = until('the member is about to join', async () => {
      const manager = await connection.jetstreamManager();
      return manager.streams.info(`KV_C${streams}_leases`).then(
        () => true,
        () => false,
      );
    }).then(() => connection.close());
    await assert.rejects(
      joining.then((member) => member.closed),
      NatspocError,
    );
    await closing;
  });

  it('a member leaves no listener on its signal', async () => {
    const { signal } = new AbortController();
    const stream = `C${streams}`;
    const options = { connection, stream, prefix: `${stream}.e`, partitions: 2, handler: () => {}, signal };
    const member = await joinGroup(options);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    await member.leave();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('a connection keeps no memory of members that have left', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const joinAndLeave = async (): Promise<WeakRef<GroupMember>> => {
      const member = await join();
      await until('the member handles messages', () => member.partitions.length === 2);
      await member.leave();
      return new WeakRef(member);
    };
    const left: WeakRef<GroupMember>[] = [];
    for (let i = 0; i < 4; i++) left.push(await joinAndLeave());
    await until('all members are collected', () => {
      collect();
      return left.every((member) => member.deref() === undefined);
    });
  });
});

describe('the identity of a member', function () {
  this.timeout(20_000);
  const server = withServer();

  it('the creation of an identity is retried if the connection breaks meanwhile, and leaves no service behind', async () => {
    const proxy = await TcpProxy.start(server.port);
    const near = await connect({ servers: server.url });
    const far = await connect({ servers: proxy.url, reconnectTimeWait: 50 });
    try {
      const identities = new MicroIdentities(far, {
        stream: 'S',
        group: 'g',
        prefix: 'S.e',
        version: '0.0.0',
        metadata: {},
        stats: () => ({}),
        control: { release: () => [], retry: () => [], skip: () => [], stop: () => [] },
      });
      proxy.silence();
      const creating = identities.create();
      proxy.heal();
      assert.equal(await creating, undefined);
      await far.flush();
      await assert.rejects(near.request('$SRV.PING.natspoc', '', { timeout: 2_000 }), { code: '503' });
      const again = await identities.create();
      assert.equal(again?.probeable, true);
      await near.request(`$SRV.PING.natspoc.${again?.id}`, '', { timeout: 2_000 });
    } finally {
      await far.close();
      await near.close();
      await proxy.stop();
    }
  });
});
