import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { loadConfig } from '../../src/core/config/config.js';
import { openStream } from '../../src/core/index.js';
import { SWEEP_AGE_MS, sweepPartitions } from '../../src/core/member/sweep.js';
import { connectNats } from '../../src/core/nats/client/connection.js';
import { natsPartitionTraces } from '../../src/core/nats/kv/partition-traces.js';
import { openGroupTopology } from '../../src/core/nats/stream/group-topology.js';
import type { PartitionTraces } from '../../src/core/ports/partition-traces.js';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { type Cli, type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const CUSTOMERS = 30;
/** With these settings a command does not wait long for members. */
const IMPATIENT = { env: { DRAIN_TIMEOUT: '0s', LEASE_TTL: '1s' } };

interface Line {
  partition: number;
  key: string;
  sequence: number;
  data: string;
}

describe('the resize of a keyed group', function () {
  this.timeout(120_000);
  const server = withServer();
  let connection: NatsConnection;
  let published = 0;
  let group = 0;

  const flags = (): string[] => ['--server', server.url, '--stream', 'ORDERS', '--group', `g${group}`];
  const leases = (...args: string[]): Promise<CliExit> => runCli(['leases', ...args, ...flags()]);
  const status = async () => JSON.parse((await leases('--json')).stdout);
  const member = (name: string, ...args: string[]): Cli =>
    startCli(['consume', '--name', name, '--output', 'ndjson', ...flags(), ...args]);
  const linesOf = (...members: Cli[]): Line[] =>
    members.flatMap(({ stdout }) => stdout.map((line): Line => JSON.parse(line)));
  const end = async (...members: Cli[]): Promise<void> => {
    for (const each of members) each.signal('SIGTERM');
    for (const each of members) await each.exited;
  };

  /** Publishes numbered messages of all customers, faster than they are handled. */
  async function publish(count: number): Promise<void> {
    const jetstream = connection.jetstream();
    for (let i = 0; i < count; i++, published++)
      await jetstream.publish(`orders.c${published % CUSTOMERS}`, String(published));
  }

  before(async () => {
    connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.*'] });
    await publish(100);
  });

  beforeEach(() => {
    group++;
  });

  after(async () => {
    await stopAll();
    await connection.close();
  });

  /** Checks that living members have printed no message twice, and the messages of each customer in order. */
  function assertOrder(members: readonly Cli[], mayRepeat: boolean): void {
    const seen = new Map<string, number>();
    for (const each of members) {
      const last = new Map<string, number>();
      for (const { key, data } of linesOf(each)) {
        assert.ok(Number(data) > (last.get(key) ?? -1), `${key} ${data} after ${last.get(key)}`);
        last.set(key, Number(data));
        seen.set(data, (seen.get(data) ?? 0) + 1);
      }
    }
    const repeated = [...seen].filter(([, times]) => times > 1).map(([data]) => data);
    if (!mayRepeat) assert.deepEqual(repeated, []);
    assert.equal(seen.size, published);
  }

  it('a resize to more or fewer partitions keeps the order of every key and handles each message once, while members are killed', async () => {
    const given = ['--key', 'subject:2', '--partitions', '4', '--work', '1ms'];
    const members = ['a', 'b', 'c'].map((name) => member(name, ...given));
    await Promise.all(members.map((each) => each.note(/joined group/)));
    await until('all partitions are owned', async () => (await status()).totals.owned === 4, 20_000);
    const handled = (): number => new Set(linesOf(...members).map(({ data }) => data)).size;
    let partitions = 4;
    for (const [to, isKilled] of [
      [11, false],
      [3, false],
      [8, true],
    ] as const) {
      const resizing = leases('resize', String(to));
      await publish(100);
      if (isKilled) {
        members[0]?.signal('SIGKILL');
        members.push(member('d'));
      }
      const resized = await resizing;
      assert.equal(resized.code, 0, resized.stderr);
      assert.match(resized.stdout, new RegExp(`Resized group g1 from ${partitions} to ${to} partitions in`));
      partitions = to;
      await publish(50);
      await until('all messages are handled', () => handled() === published, 30_000);
      if (!isKilled) assertOrder(members, false);
    }
    assertOrder(members, true);
    const living = members.slice(1);
    const [last] = linesOf(...living).slice(-1);
    assert.equal(last?.partition, partitionOf(last?.key ?? '', 8));
    // Positions of partitions without messages move to the end of the stream only every few seconds.
    await until('no message waits', async () => (await status()).totals.lag === 0, 20_000);
    const { totals, partitions: rows } = await status();
    assert.deepEqual([totals.partitions, totals.owned, rows.length], [8, 8, 8]);
    const check = await leases('check');
    assert.equal(check.code, 0, check.stdout);
    const history = await leases('history', '0');
    assert.match(history.stdout, /closed/);
    // A member joins even if it is started with the former number of partitions.
    const late = member('late', '--key', 'subject:2', '--partitions', '4');
    assert.match(
      await late.note(/is not used/),
      /--partitions is not used: group g1 was resized to 8 partitions/,
    );
    await end(...living, late);
  });

  it('a resize waits for members, is shown, can be withdrawn, and is carried out by the next member', async () => {
    const one = member('one', '--key', 'subject:2', '--partitions', '2', '--until-caught-up');
    assert.equal((await one.exited).code, 0);
    const plan = await leases('resize', '3', '--dry-run');
    assert.match(plan.stdout, /would be resized from 2 to 3 partitions/);
    assert.equal((await status()).resize, null);
    const ordered = await runCli(['leases', 'resize', '3', ...flags()], IMPATIENT);
    assert.match(ordered.stdout, /^Requested: group g2 goes from 2 to 3 partitions as soon as/);
    assert.equal((await status()).resize.to, 3);
    assert.match((await leases()).stdout, /being resized from 2 to 3 partitions by .*: 0 of 2 closed/);
    const overview = await runCli(['groups', ...flags()]);
    assert.match(overview.stdout, /^! g2 .* idle, the resize to 3 waits for a member$/m);
    const check = await leases('check');
    assert.equal(check.code, 0);
    assert.match(check.stdout, /note {6}the resize to 3 partitions waits for a member, and is done when one/);
    const other = await leases('resize', '5');
    assert.match(other.stderr, /is being resized to 3 partitions by/);
    const seek = await leases('seek', '--all', '--to', 'first', '--force');
    assert.match(seek.stderr, /is being resized/);
    assert.match((await leases('resize', '--abort')).stdout, /Withdrawn: group g2 is not resized to 3/);
    assert.match((await leases('resize', '--abort')).stdout, /is not being resized/);
    await runCli(['leases', 'resize', '3', ...flags()], IMPATIENT);
    const two = member('two');
    await two.note(/resized from 2 to 3/);
    await until('three partitions are owned', async () => (await status()).totals.owned === 3, 20_000);
    await publish(1);
    await until('the new message is handled', () => two.stdout.length > 0, 20_000);
    assert.deepEqual(
      linesOf(two).map(({ data }) => Number(data)),
      [published - 1],
    );
    await end(two);
  });

  it('a seek can repeat messages after a resize, and another resize is refused until the last resize is finished', async () => {
    const one = member('one', '--key', 'subject:2', '--partitions', '2');
    await until('all messages are handled', () => one.stdout.length === published, 20_000);
    const behind = await leases('pause', '1');
    assert.equal(behind.code, 0, behind.stderr);
    await publish(CUSTOMERS);
    await until('half of the messages are handled', () => one.stdout.length > published - CUSTOMERS, 20_000);
    assert.equal((await leases('resize', '3')).code, 0);
    const again = await leases('resize', '2');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /has not finished its last resize: .* must first handle the messages/);
    assert.equal((await leases('resume', '--all')).code, 0);
    await until('all messages are handled', () => one.stdout.length === published, 20_000);
    assertOrder([one], false);
    assert.equal((await leases('seek', '0', '--to', 'first', '--force')).code, 0);
    const inFirst = Array.from({ length: published }, (_, i) => i).filter(
      (i) => partitionOf(`c${i % CUSTOMERS}`, 3) === 0,
    );
    await until(
      'the first partition is handled again',
      () => one.stdout.length === published + inFirst.length,
      20_000,
    );
    await end(one);
  });

  it('resizes leave at most the entries of the largest layout in the bucket, and a sweep removes old entries', async () => {
    const one = member('one', '--key', 'subject:2', '--partitions', '3');
    await until('all messages are handled', () => one.stdout.length === published, 20_000);
    const resized = async (to: number): Promise<void> => {
      const { code, stderr } = await leases('resize', String(to));
      assert.equal(code, 0, stderr);
      await until('no message waits', async () => (await status()).totals.lag === 0, 20_000);
    };
    for (const to of [24, 3, 24, 3]) await resized(to);
    const name = `g${group}`;
    const config = loadConfig({ flags: { server: server.url, stream: 'ORDERS', group: name }, env: {} });
    const own = await connectNats(config, 'test');
    const { bucket, ...handles } = await openGroupTopology(own, config, ['handle']);
    const real = natsPartitionTraces(handles, bucket, config);
    const traces = async () => (await real.read())?.traces.filter(({ partition }) => partition >= 3) ?? [];
    const later: PartitionTraces = {
      ...real,
      read: async () => {
        const found = await real.read();
        return found && { ...found, nowMs: found.nowMs + SWEEP_AGE_MS };
      },
    };
    assert.equal(new Set((await traces()).map(({ kind, partition }) => `${kind} ${partition}`)).size, 2 * 21);
    assert.equal(await sweepPartitions(real), 0, 'no entry is old enough');
    assert.equal(await sweepPartitions(later), 2 * 21);
    const left = await traces();
    assert.deepEqual([...new Set(left.map(({ kind }) => kind))], ['lease']);
    assert.equal(left.length, 21);
    assert.ok(left.every(({ entries }) => entries === 1));
    assert.equal(await sweepPartitions(later), 0);
    await own.close();
    // If a member knew a lease that the bucket has lost, no partition would be claimed for a ttl.
    const startedAt = performance.now();
    await resized(24);
    await until('all are owned', async () => (await status()).totals.owned === 24, 20_000);
    assert.ok(performance.now() - startedAt < 10_000);
    assertOrder([one], false);
    await end(one);
  });

  it('a resize drops pins and pauses that an earlier resize left because its command had ended', async () => {
    const one = member('one', '--key', 'subject:2', '--partitions', '4', '--until-caught-up');
    assert.equal((await one.exited).code, 0);
    assert.equal((await leases('pause', '3')).code, 0);
    await runCli(['leases', 'resize', '2', ...flags()], IMPATIENT);
    const two = member('two');
    await two.note(/resized from 4 to 2/);
    await until('no message waits', async () => (await status()).totals.lag === 0, 20_000);
    const again = await leases('resize', '4');
    assert.match(again.stdout, /^Resized .*\nPins and pauses of p3 are dropped\.$/, again.stderr);
    assert.deepEqual(
      (await status()).partitions.map(({ paused }: { paused: boolean }) => paused),
      [false, false, false, false],
    );
    await end(two);
  });

  it('a resize turns a group over the layout of natspoc into a keyed group, and leaves another group as it is', async () => {
    const own = ['--server', server.url, '--stream', 'OWN', '--prefix', 'own', '--partitions', '4'];
    const publishOwn = async (): Promise<void> => {
      const done = await runCli([
        'publish',
        '--quiet',
        ...own,
        '--keys',
        '12',
        '--count',
        '60',
        '--rate',
        '200',
        '{{Count}}',
      ]);
      assert.equal(done.code, 0, done.stderr);
    };
    await publishOwn();
    const start = (name: string, of: string): Cli =>
      startCli(['consume', '--name', name, '--group', of, '--output', 'ndjson', '--work', '1ms', ...own]);
    const [one, two, other] = [start('one', 'a'), start('two', 'a'), start('other', 'b')];
    await Promise.all([one, two, other].map((each) => each.note(/joined group/)));
    const resized = runCli(['leases', 'resize', '7', '--group', 'a', ...own]);
    await publishOwn();
    const { stdout, stderr } = await resized;
    assert.match(stdout, /^Resized group a from 4 to 7 partitions/, stderr);
    await publishOwn();
    const sequences = (...members: Cli[]): number[] => linesOf(...members).map(({ sequence }) => sequence);
    await until('all messages are handled', () => new Set(sequences(one, two)).size === 180, 30_000);
    await until('the other group is done', () => sequences(other).length === 180, 30_000);
    assert.equal(sequences(one, two).length, 180);
    for (const each of [one, two]) {
      const last = new Map<string, number>();
      for (const { key, sequence } of linesOf(each)) {
        assert.ok(sequence > (last.get(key) ?? 0), `${key} ${sequence}`);
        last.set(key, sequence);
      }
    }
    const statusOf = async (of: string) =>
      JSON.parse((await runCli(['leases', '--json', '--group', of, ...own])).stdout).totals;
    assert.deepEqual([(await statusOf('a')).partitions, (await statusOf('b')).partitions], [7, 4]);
    // A program that opens the stream for one group finds the other group with its own partitions.
    await using opened = await openStream({ servers: server.url, stream: 'OWN', group: 'a' });
    const sizeOf = async (of: string) => (await opened.group(of).status()).partitions.length;
    assert.deepEqual([await sizeOf('a'), await sizeOf('b')], [7, 4]);
    const stream = await runCli(['stream', '--group', 'a', ...own]);
    assert.match(stream.stdout, /7 partitions by header:Natspoc-Key of own\.p\.\*/);
    // Commands for the whole stream still work, even with this group as the default.
    const trim = await runCli(['stream', 'trim', '--dry-run', '--json', '--group', 'a', ...own]);
    assert.equal(JSON.parse(trim.stdout).partitions.length, 4, trim.stderr);
    // A member that is started with the former settings adopts the key.
    const three = start('three', 'a');
    await three.note(/joined group/);
    assert.equal((await runCli(['leases', 'resize', '2', '--group', 'a', ...own])).code, 0);
    await publishOwn();
    await until('all messages are handled', () => new Set(sequences(one, two, three)).size === 240, 30_000);
    assert.equal(sequences(one, two, three).length, 240);
    await end(one, two, three, other);
  });

  it('a resize to an impossible number is refused', async () => {
    assert.equal((await leases('resize', '0')).code, 2);
    assert.equal((await leases('resize')).code, 2);
  });
});
