import assert from 'node:assert/strict';
import { DeliverPolicy } from 'nats';
import { mapConcurrently } from '../../src/core/lib/concurrently.js';
import { type FetchOptions, fetchMessages } from '../../src/core/nats/jetstream/fetch.js';
import { runCli, stopAll } from '../support/cli.js';
import { withManager } from '../support/with-manager.js';

describe('a stream without room for another consumer', function () {
  this.timeout(60_000);
  const client = withManager();
  const natspoc = (...args: string[]) => runCli([...args, '--server', client.server.url]);

  /** A stream whose limit of consumers is reached, with three messages in each of the partitions 0 and 1. */
  async function fill(name: string, room = 0): Promise<void> {
    await client.manager.streams.add({ name, subjects: [`${name}.p.*`], max_consumers: room + 1 });
    await client.manager.consumers.add(name, { durable_name: 'occupant' });
    for (const partition of [0, 0, 1, 1, 0, 1])
      await client.connection.jetstream().publish(`${name}.p.${partition}`, 'x');
  }
  /** Fills a stream, lets a group handle some of its messages, and then occupies the rest of the room. Returns the flags of the group. */
  async function handleAndFill(name: string, messages: number): Promise<string[]> {
    await fill(name, 2);
    const flags = ['--stream', name, '--prefix', name, '--partitions', '2'];
    const ended = await natspoc('consume', ...flags, '--output', 'none', '--count', `${messages}`);
    assert.equal(ended.code, 0, ended.stderr);
    for (const occupant of ['second', 'third'])
      await client.manager.consumers.add(name, { durable_name: occupant });
    return flags;
  }

  const fetch = (options: Pick<FetchOptions, 'stream' | 'filter' | 'start' | 'limit'>) =>
    fetchMessages({ ...client, inboxPrefix: undefined }, { ...options, timeoutMs: 5_000 });
  const from = (sequence: number): FetchOptions['start'] => ({
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence,
  });

  afterEach(stopAll);

  it('messages are read one by one, and counted by an estimate if not all are read', async () => {
    await fill('READ');
    const read = async (filter: string, start: FetchOptions['start'], limit: number) => {
      const { messages, available, isEstimate } = await fetch({ stream: 'READ', filter, start, limit });
      return [messages.map(({ sequence }) => sequence), available, isEstimate ?? false];
    };
    assert.deepEqual(await read('READ.p.*', { deliver_policy: DeliverPolicy.LastPerSubject }, 9), [
      [5, 6],
      2,
      false,
    ]);
    assert.deepEqual(await read('READ.p.0', from(2), 9), [[2, 5], 2, false]);
    assert.deepEqual(await read('READ.p.0', from(1), 1), [[1], 3, false]);
    assert.deepEqual(await read('READ.p.0', from(2), 0), [[], 3, true]);
    assert.deepEqual(await read('READ.p.0', from(6), 0), [[], 0, false]);
  });

  it('if there is room for one consumer, parallel counts use it one after another', async () => {
    await fill('ONE', 1);
    const counts = await mapConcurrently([1, 2, 3, 4, 5, 6], 6, (sequence) =>
      fetch({ stream: 'ONE', filter: 'ONE.p.*', start: from(sequence), limit: 0 }),
    );
    assert.deepEqual(
      counts.map(({ available, isEstimate }) => [available, isEstimate]),
      [6, 5, 4, 3, 2, 1].map((count) => [count, undefined]),
    );
  });

  it('"leases" shows estimates of the lag, and "leases check" and "leases seek" work', async () => {
    const ofGroup = await handleAndFill('LIMITED', 1);
    const { partitions, totals } = JSON.parse((await natspoc('leases', ...ofGroup, '--json')).stdout);
    const last = partitions.map(({ end }: { end: number }) => end);
    assert.deepEqual([last, totals.lagIsEstimate], [[5, 6], true]);
    const { code, stdout } = await natspoc('leases', 'check', ...ofGroup);
    assert.equal(code, 5, stdout);
    // The handled message is 1 (of partition 0) or 3 (of partition 1). The estimate assumes that a partition's messages are spread evenly.
    const estimate = partitions[1].position === 3 ? 5 : 6;
    assert.match(stdout, new RegExp(`lag ~${estimate}\\b`));
    const limited = await natspoc('leases', 'check', ...ofGroup, '--max-lag', '1000', '--json');
    const findings: { kind: string; severity: string }[] = JSON.parse(limited.stdout).findings;
    assert.ok(findings.some(({ kind, severity }) => kind === 'lag' && severity === 'warning'));
    const sought = await natspoc('leases', 'seek', '1', '--to', 'new', '--dry-run', '--json', ...ofGroup);
    assert.equal(sought.code, 0, sought.stderr);
    // Messages 3, 4 and 6 are counted one by one, because an estimate could be too low.
    const [{ skipped, countIsEstimate }] = JSON.parse(sought.stdout).partitions;
    const waiting = [3, 4, 6].filter((sequence) => sequence > partitions[1].position);
    assert.deepEqual([skipped, countIsEstimate], [waiting.length, false]);
  });

  it('nothing is deleted, and no position is chosen, by an estimate', async () => {
    const ofGroup = await handleAndFill('EXACT', 4);
    for (const command of [
      ['leases', 'seek', '1', '--to', '-1', '--dry-run'],
      ['stream', 'trim', '--dry-run'],
    ]) {
      const { code, stderr } = await natspoc(...command, ...ofGroup);
      assert.deepEqual([code, /no room for a consumer that counts/.test(stderr)], [1, true], stderr);
    }
  });
});
