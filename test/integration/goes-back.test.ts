import assert from 'node:assert/strict';
import { bucketStream, bucketSubject } from '../../src/core/nats/kv/bucket.js';
import { keys } from '../../src/core/protocol/keys.js';
import { decodePosition } from '../../src/core/protocol/position-records.js';
import { decodeLease } from '../../src/core/protocol/records.js';
import { runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

const RATE = 200;
const SHORT_TTL = ['--ttl', '3s'];
/** Enough for the interval of a renewal, a ttl in which members claim nothing, and a busy machine. */
const RECOVERY_MS = 25_000;

describe('a bucket that returns to an older state while its members run', function () {
  this.timeout(90_000);
  let run: GroupRun;
  withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '4' },
  );

  const start = async (args: readonly string[] = []): Promise<void> => {
    for (const name of ['a', 'b']) run.consume(name, [...SHORT_TTL, ...args]);
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(200);
  };
  const purge = (key?: string): Promise<unknown> =>
    run.topology.manager.streams.purge(
      bucketStream(run.config.bucket),
      key === undefined ? undefined : { filter: bucketSubject(run.config.bucket, key) },
    );

  /** True if every partition has a position, and an owner with a session. */
  const isWhole = async (): Promise<boolean> => {
    const { bucket } = run.topology;
    const { group } = run.config;
    for (let partition = 0; partition < run.partitions; partition++) {
      const lease = await bucket.read(keys.lease(group, partition));
      const owner = lease.kind === 'found' && lease.entry.value && decodeLease(lease.entry.value)?.owner;
      if (!owner) return false;
      const session = await bucket.read(keys.session(group, owner));
      if (session.kind !== 'found' || !session.entry.value) return false;
      const position = await bucket.read(keys.position(group, partition));
      if (position.kind !== 'found' || !position.entry.value) return false;
      if ((decodePosition(position.entry.value)?.epoch ?? 0) !== lease.entry.revision) return false;
    }
    return true;
  };
  const recovers = (): Promise<void> => until('every partition has a live owner', isWhole, RECOVERY_MS);
  const assertNothingLost = async (): Promise<void> => {
    const before = new Map([...run.members.keys()].map((name) => [name, handledBy(name)]));
    await until('both handle messages', () => [...before].every(([name, count]) => handledBy(name) > count));
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, foreign: 0 });
  };
  const handledBy = (name: string): number => run.handled.filter(({ consumer }) => consumer === name).length;

  it('if the bucket is purged, the members start over, skip no message, and do not handle the whole stream again', async () => {
    await start();
    const before = run.handled.length;
    await purge();
    await recovers();
    await assertNothingLost();
    for (const cli of run.members.values()) await cli.note(/the bucket has lost entries/);
    const again = run.handled.filter(({ sequence }) => sequence < 100).length;
    assert.ok(
      again < 200,
      `messages below 100 were handled ${again} times; ${before} messages were handled before the purge`,
    );
    const layout = await run.topology.bucket.read(keys.layout);
    assert.equal(layout.kind, 'found', 'the layout exists again');
  });

  it('if sessions are lost, their partitions are claimed', async () => {
    await start();
    await purge(keys.session(run.config.group, '*'));
    await recovers();
    await assertNothingLost();
  });

  it('if a lease is lost, its owner notices that and takes the partition again', async () => {
    await start();
    await purge(keys.lease(run.config.group, 2));
    await recovers();
    await assertNothingLost();
  });

  it('if the position of a group that started with new messages is lost, no message is skipped', async () => {
    run.consume('a', [...SHORT_TTL, '--from', 'new']);
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(200);
    await purge(`${keys.positionPrefix(run.config.group)}*`);
    await recovers();
    await assertNothingLost();
  });

  it('if the bucket is created again, the members start over', async () => {
    await start();
    const { manager } = run.topology;
    const name = bucketStream(run.config.bucket);
    const { config } = await manager.streams.info(name);
    // The members are stopped, because without the bucket they would end.
    for (const cli of run.members.values()) cli.signal('SIGSTOP');
    await manager.streams.delete(name);
    await manager.streams.add(config);
    for (const cli of run.members.values()) cli.signal('SIGCONT');
    await recovers();
    await assertNothingLost();
  });

  it('if the bucket is deleted, the members end with the reason', async () => {
    await start();
    await run.topology.manager.streams.delete(bucketStream(run.config.bucket));
    for (const name of ['a', 'b']) {
      const exit = await run.forget(name).exited;
      assert.equal(exit.code, 1);
      assert.match(exit.stderr, /bucket no longer exists|bucket does not exist/);
    }
  });
});

describe('a store that is restored from an older copy under its members', function () {
  this.timeout(120_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '4' },
  );

  const publish = async (text: string, count: number): Promise<void> => {
    const args = ['publish', `${text} {{Count}}`, '--count', String(count), '--keys', '100', '--quiet'];
    const { code, stderr } = await runCli([...args, ...run.args, '--server', server.url]);
    assert.equal(code, 0, stderr);
  };
  const handled = (text: string): number =>
    new Set(run.handled.map(({ data }) => data).filter((data) => data.startsWith(text))).size;
  const allHandled = (text: string, count: number): Promise<void> =>
    until(`${count} of ${text}`, () => handled(text) === count, RECOVERY_MS);

  for (const what of ['everything', 'the bucket'] as const) {
    it(`if ${what} is restored, the members start over with the remaining entries, and handle all later messages`, async () => {
      for (const name of ['a', 'b']) run.consume(name, SHORT_TTL);
      await run.atRest();
      await publish('early', 200);
      await allHandled('early', 200);
      const copy = await server.copyStore(
        what === 'everything' ? undefined : bucketStream(run.config.bucket),
      );
      await publish('late', 500);
      await allHandled('late', 500);
      // Member a's leases get other owners. That makes the older copy of the leases outdated.
      run.forget('a').signal('SIGKILL');
      run.consume('c', SHORT_TTL);
      await run.atRest();
      await server.putBack(copy);
      await publish('afterwards', 1_000);
      await allHandled('afterwards', 1_000);
      for (const cli of run.members.values()) await cli.note(/restored from an older copy/);
    });
  }

  it('if the bucket is restored, the paused partitions are those of the copy', async () => {
    const leases = async (...args: string[]): Promise<string> => {
      const { group } = run.config;
      const { code, stdout, stderr } = await runCli(
        ['leases', args, run.args, '--group', group, '--server', server.url].flat(),
      );
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const isPaused = (only: number): Promise<void> =>
      until(
        `p${only} is paused, and no other`,
        async () => {
          const shown: { partitions: { partition: number; state: string }[] } = JSON.parse(
            await leases('--json'),
          );
          return shown.partitions.every(({ partition, state }) =>
            partition === only ? state === 'paused' : state === 'running',
          );
        },
        RECOVERY_MS,
      );
    run.consume('a', SHORT_TTL);
    await run.atRest();
    await leases('pause', '1');
    const copy = await server.copyStore(bucketStream(run.config.bucket));
    await leases('resume', '1');
    await leases('pause', '3');
    await isPaused(3);
    await server.putBack(copy);
    await run.members.get('a')?.note(/restored from an older copy/);
    await isPaused(1);
  });
});
