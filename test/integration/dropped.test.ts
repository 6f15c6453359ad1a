import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createPublisher, type GroupMember, joinGroup } from '../../src/core/index.js';
import { NatsDeadLetters } from '../../src/core/nats/stream/dead-letters.js';
import { deadStream } from '../../src/core/protocol/dead-letter.js';
import { runCli } from '../support/cli.js';
import { fakeMessage } from '../support/fake-partition.js';
import { until } from '../support/until.js';
import { withManager } from '../support/with-manager.js';

/** The messages are dropped before they are delivered, so no delivery shows the loss. */
describe('messages that a stream drops while it is read', function () {
  this.timeout(60_000);
  const at = withManager();
  const { server } = at;

  it('dropped messages do not count as lag, and do not keep a member from catching up', async () => {
    const place = { connection: at.connection, stream: 'D1', prefix: 'D1.e', partitions: 1 };
    const publisher = await createPublisher(place);
    await Promise.all(Array.from({ length: 200 }, () => publisher.publish({ data: 'x' })));
    await publisher.close();
    let purged = (): void => {};
    const purging = new Promise<void>((resolve) => {
      purged = resolve;
    });
    let handled = 0;
    const member = await joinGroup({ ...place, handler: () => (++handled === 10 ? purging : undefined) });
    const trimmed = once(member, 'trimmed');
    await until('the member handles messages', () => handled === 10);
    await at.manager.streams.purge('D1');
    purged();
    const [{ to, atMost }] = await trimmed;
    assert.equal(to, 200);
    assert.equal(handled + atMost, 200);
    await until('the server reported that no message waits', () => member.partitions[0]?.caughtUp === true);
    assert.equal(member.partitions[0]?.lag, 0);
    await member.leave();
  });

  it('dropped messages do not block a reader of dead letters', async () => {
    const options = { stream: 'D2', prefix: 'D2.e', replicas: 1, timeoutMs: 5_000 };
    const box = new NatsDeadLetters(
      { connection: at.connection, manager: at.manager, inboxPrefix: undefined },
      options,
    );
    await box.ensure();
    const { store } = box.storeFor('g');
    for (let sequence = 1; sequence <= 200; sequence++) {
      await store({ message: fakeMessage(sequence), partition: 0, epoch: 1, attempts: 1, error: 'no' });
    }
    let read = 0;
    for await (const _ of box.letters(() => {}))
      if (++read === 1) await at.manager.streams.purge(deadStream('D2'));
    assert.ok(read < 200, 'the other letters were purged before they arrived');
  });

  /** Publishes to the partitions in turn. */
  const publish = async (prefix: string, partitions: number, count: number) => {
    const jetstream = at.connection.jetstream();
    const all = Array.from({ length: count }, (_, i) =>
      jetstream.publish(`${prefix}.p.${i % partitions}`, 'x'),
    );
    await Promise.all(all);
  };

  it('dropped messages are reported after an absence of the group, if a subject keeps only its last messages', async () => {
    const place = { connection: at.connection, stream: 'D3', prefix: 'D3.e', partitions: 2 };
    const before = await joinGroup({ ...place, handler: () => {} });
    await publish('D3.e', 2, 2);
    await until(
      'both partitions have commits',
      () => before.partitions.filter(({ committed }) => committed > 0).length === 2,
    );
    await before.leave();
    const { config } = await at.manager.streams.info('D3');
    await at.manager.streams.update('D3', { ...config, max_msgs_per_subject: 10 });
    await publish('D3.e', 2, 200);
    const trimmed = [0, 0];
    let handled = 0;
    const member = await joinGroup({
      ...place,
      handler: () => void handled++,
      listen: (joined) =>
        joined.on('trimmed', ({ partition, atMost }) => {
          trimmed[partition] = (trimmed[partition] ?? 0) + atMost;
        }),
    });
    await until('both partitions report a loss', () => trimmed.every((atMost) => atMost > 0));
    await until('all other messages are handled', () => handled === 20);
    assert.ok(
      trimmed.every((atMost) => atMost >= 90),
      `at most ${trimmed} of 90 each`,
    );
    assert.deepEqual(
      member.partitions.map((each) => each.trimmed),
      trimmed,
    );
    await member.leave();
  });

  it('dropped messages are shown until an operator acknowledges them, across changes of owner', async () => {
    const place = { connection: at.connection, stream: 'D6', prefix: 'D6.e', partitions: 2 };
    const cli = (...args: string[]) => runCli([...args, '--stream', 'D6', '--server', server.url]);
    const join = () => joinGroup({ ...place, handler: () => {} });
    let member = await join();
    const lostOf = () => member.partitions.find(({ partition }) => partition === 0)?.trimmed ?? 0;
    const runs = () => member.partitions.filter(({ state }) => state === 'running').length === 2;
    await publish('D6.e', 2, 2);
    await until(
      'both partitions have commits',
      () => member.partitions.filter(({ committed }) => committed > 0).length === 2,
    );
    await member.leave();
    const { config } = await at.manager.streams.info('D6');
    await at.manager.streams.update('D6', { ...config, max_msgs_per_subject: 10 });
    await publish('D6.e', 1, 100);
    member = await join();
    await until('the loss is reported', () => lostOf() >= 90);
    const lost = lostOf();
    await member.leave();
    const line = `! dropped by the stream before handled, at most: p0 ${lost}`;
    assert.ok((await cli('leases')).stdout.split('\n').includes(line), 'without an owner');
    member = await join();
    await until('the member owns both partitions', runs);
    assert.equal(lostOf(), lost);
    assert.ok((await cli('leases')).stdout.split('\n').includes(line), 'the next owner shows the loss');
    const found = await cli('leases', 'check');
    assert.equal(found.code, 5);
    assert.match(
      found.stdout,
      /p0: the stream dropped at most \d+ messages.*"leases seek 0 --to \+0" acknowledges the loss/,
    );
    const sought = await cli('leases', 'seek', '0', '--to', '+0', '--force');
    assert.equal(sought.code, 0, sought.stderr);
    await until('the member continues', runs);
    assert.doesNotMatch((await cli('leases')).stdout, /dropped/);
    await member.leave();
  });

  it('dropped messages are reported while a full stream drops waiting messages', async () => {
    const place = { connection: at.connection, stream: 'D4', prefix: 'D4.e', partitions: 1 };
    let handled = 0;
    let lost = 0;
    const member = await joinGroup({
      ...place,
      bufferMessages: 10,
      handler: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        handled++;
      },
      listen: (joined) =>
        joined.on('trimmed', ({ atMost }) => {
          lost += atMost;
        }),
    });
    const { config } = await at.manager.streams.info('D4');
    await at.manager.streams.update('D4', { ...config, max_msgs: 50 });
    await publish('D4.e', 1, 1_500);
    await until(
      'the member has caught up',
      () => member.partitions[0]?.caughtUp === true && member.partitions[0].position === 1_500,
    );
    await until('all losses are reported', () => handled + lost >= 1_500);
    assert.equal(handled + lost, 1_500, 'with a single partition every gap is a loss');
    await member.leave();
  });

  it('dropped messages are not a loss if they were handled', async () => {
    const place = { connection: at.connection, stream: 'D5', prefix: 'D5.e', partitions: 2 };
    let lost = 0;
    const member = await joinGroup({
      ...place,
      handler: () => {},
      listen: (joined) => joined.on('trimmed', () => lost++),
    });
    const { config } = await at.manager.streams.info('D5');
    await at.manager.streams.update('D5', { ...config, max_msgs_per_subject: 100, max_msgs: 150 });
    for (let batch = 1; batch <= 10; batch++) {
      await publish('D5.e', 2, 100);
      await until('all messages are handled', () => member.counters.handled === batch * 100);
    }
    // Longer than the interval at which the stream is checked.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(lost, 0);
    await member.leave();
  });

  for (const [what, stream, group] of [
    ['a partition', 'D7', { prefix: 'D7.e' }],
    ['a keyed group', 'D8', { key: 'subject:5', filter: 'D8.e.p.0.>' }],
  ] as const) {
    it(`dropped messages of other subjects are not a loss of ${what} that gets no messages, not even for the next owner`, async () => {
      let lost = 0;
      let handled = 0;
      const place = {
        connection: at.connection,
        stream,
        partitions: 2,
        ...group,
        handler: () => void handled++,
        listen: (joined: GroupMember) => joined.on('trimmed', () => lost++),
      };
      await at.manager.streams.add({ name: stream, subjects: [`${stream}.e.p.>`], max_msgs: 1_000 });
      const first = await joinGroup(place);
      const jetstream = at.connection.jetstream();
      for (let i = 0; i < 20; i++) await jetstream.publish(`${stream}.e.p.1`, 'x');
      await until(
        'the positions of both partitions are at the end of the stream',
        () => first.partitions.filter(({ committed }) => committed === 20).length === 2,
      );
      await at.manager.streams.purge(stream, { seq: 20 });
      await first.leave();
      const second = await joinGroup(place);
      const before = handled;
      await jetstream.publish(`${stream}.e.p.0${'key' in group ? '.a' : ''}`, 'x');
      await until('the next message is handled', () => handled > before);
      await second.leave();
      assert.equal(lost, 0);
    });
  }
});
