import assert from 'node:assert/strict';
import type { GroupRun } from '../support/group-run.js';
import { TcpProxy } from '../support/proxy.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

const RATE = 400;
const SHORT_TTL = ['--ttl', '2s'];

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('faults on a real server', function () {
  this.timeout(90_000);
  let run: GroupRun;
  const server = withGroup((opened) => {
    run = opened;
  });

  const start = async (names: readonly string[], args: readonly string[] = []): Promise<void> => {
    for (const name of names) run.consume(name, args);
    await run.atRest();
  };
  const epochs = (): string =>
    [...run.ownership.owners]
      .map(([p, { epoch }]) => `p${p}@${epoch}`)
      .sort()
      .join(' ');
  const assertNothingWrong = async (): Promise<void> => {
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, outOfOrder: 0, foreign: 0 });
  };

  it('a process that was stopped for longer than its ttl handles nothing under its old epochs when it wakes', async () => {
    await start(['a', 'b', 'sleeper'], SHORT_TTL);
    run.publish(RATE);
    await run.handledCount(200);
    const sleeper = run.forget('sleeper');
    sleeper.signal('SIGSTOP');
    await run.handledCount(run.handled.length + 50);
    const newestAtStop = Math.max(...run.handled.map(({ sequence }) => sequence));
    await run.atRest();
    const before = run.handled.filter(({ consumer }) => consumer === 'sleeper').length;
    const takenAt = Math.max(...[...run.ownership.owners.values()].map(({ epoch }) => epoch));
    sleeper.signal('SIGCONT');
    run.members.set('sleeper', sleeper);
    await sleeper.note(/fenced by another member/);
    await run.atRest();
    await run.handledCount(run.handled.length + 200);
    await assertNothingWrong();
    const after = run.handled.filter(({ consumer }) => consumer === 'sleeper').slice(before);
    assert.ok(after.length > 0, 'the process handles messages again');
    // When the process wakes, it may still write a line that was ready before the stop. It must not handle the hundreds of messages that
    // arrived at the socket during the stop.
    const stale = after.filter(({ epoch, sequence }) => epoch <= takenAt && sequence > newestAtStop);
    assert.equal(stale.length, 0, 'no message was handled under epochs of the old session');
  });

  it('a short stop moves no partition', async () => {
    await start(['a', 'b']);
    run.publish(RATE);
    await run.handledCount(100);
    const before = epochs();
    const sleeper = run.members.get('b');
    sleeper?.signal('SIGSTOP');
    await run.handledCount(run.handled.length + 200);
    sleeper?.signal('SIGCONT');
    await run.handledCount(run.handled.length + 200);
    await assertNothingWrong();
    assert.equal(epochs(), before);
  });

  it('a server that is killed and restarted moves no partition, and nothing is lost', async () => {
    await start(['a', 'b', 'c']);
    run.publish(RATE);
    await run.handledCount(200);
    const before = epochs();
    await server.kill();
    await server.start();
    await run.handledCount(run.handled.length + 200);
    await assertNothingWrong();
    assert.equal(epochs(), before);
  });

  it('a member whose network drops everything loses its partitions, and joins again afterwards', async () => {
    const proxy = await TcpProxy.start(server.port);
    try {
      run.consume('far', SHORT_TTL, proxy.url);
      await start(['a', 'b'], SHORT_TTL);
      run.publish(RATE);
      await run.handledCount(200);
      const far = run.forget('far');
      proxy.silence();
      await run.atRest();
      await run.handledCount(run.handled.length + 100);
      proxy.heal();
      run.members.set('far', far);
      await run.atRest(40_000);
      await run.handledCount(run.handled.length + 100);
      await assertNothingWrong();
    } finally {
      await proxy.stop();
    }
  });

  it('a rolling restart of all members loses and repeats nothing', async () => {
    await start(['a', 'b', 'c']);
    run.publish(RATE);
    await run.handledCount(100);
    for (const name of ['a', 'b', 'c']) {
      const leaver = run.forget(name);
      leaver.signal('SIGTERM');
      run.consume(`${name}2`);
      assert.equal((await leaver.exited).code, 0);
      await run.atRest();
    }
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, duplicated: 0, outOfOrder: 0, foreign: 0 });
  });

  it('members of a group whose bucket is deleted end with a clear error', async () => {
    await start(['a', 'b']);
    const members = [...run.members.values()];
    await run.topology.manager.streams.delete(`KV_${run.config.bucket}`);
    for (const member of members) {
      const exit = await member.exited;
      assert.equal(exit.code, 1);
      const error = exit.stderr.split('\n').filter((line) => line.startsWith('Error:'));
      assert.equal(error.length, 1, exit.stderr);
      assert.match(error[0] ?? '', /bucket/);
    }
  });

  it('an unreadable entry is reported once and not changed, and everything else continues', async () => {
    const { bucket } = run.topology;
    const lease = 'group.default.lease.3';
    await bucket.write(lease, text('not a lease'), 0);
    await bucket.write('group.default.session.odd', text('no session'), 0);
    await bucket.write('group.default.what.is.this', text('?'), 0);
    const cli = run.consume('a');
    await until('the other partitions are owned', () => run.ownership.owners.size === run.partitions - 1);
    await cli.note(/cannot read the entry lease\.3/);
    await cli.note(/cannot read the entry session\.odd/);
    const found = await bucket.read(lease);
    assert.equal(found.kind, 'found');
    assert.deepEqual(found.kind === 'found' && found.entry.value, text('not a lease'));
    assert.equal(cli.stderr.filter((line) => line.includes('lease.3')).length, 1);
  });

  it('a deleted stream ends the members with a clear error', async () => {
    await start(['a', 'b']);
    // The group must be past its start. Otherwise it could learn of the deletion when it opens its readers.
    run.publish(RATE);
    await run.handledCount(100);
    const members = [...run.members.values()];
    await run.topology.manager.streams.delete(run.config.stream);
    for (const member of members) {
      const { code, stderr } = await member.exited;
      assert.equal(code, 1, stderr);
      const errors = stderr.split('\n').filter((line) => line.startsWith('Error:'));
      assert.equal(errors.length, 1, stderr);
      assert.match(errors[0] ?? '', /does not exist/);
    }
  });
});
