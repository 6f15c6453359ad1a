import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, DiscardPolicy, headers, type NatsConnection, RetentionPolicy } from 'nats';
import { createPublisher, joinGroup, NatspocError, openStream } from '../../src/core/index.js';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { type Cli, type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const CUSTOMERS = 20;
const KINDS = ['created', 'paid', 'shipped', 'closed'];

interface Line {
  partition: number;
  key: string;
  subject: string;
  data: string;
}

describe('a keyed group over a stream that other programs created', function () {
  this.timeout(90_000);
  const server = withServer();
  let connection: NatsConnection;
  let published = 0;

  /** Publishes numbered messages. A message's number determines its customer. */
  async function publish(count: number): Promise<void> {
    const jetstream = connection.jetstream();
    const subjectOf = (number: number): string =>
      `orders.c${number % CUSTOMERS}.${KINDS[number % KINDS.length]}`;
    for (let i = 0; i < count; i++, published++) {
      const data = JSON.stringify({ number: published, customer: { id: published % CUSTOMERS } });
      await jetstream.publish(subjectOf(published), data);
    }
  }

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, '--server', server.url, '--stream', 'ORDERS']);
  const consume = (...args: string[]): Cli =>
    startCli(['consume', '--server', server.url, '--stream', 'ORDERS', '--output', 'ndjson', ...args]);
  const linesOf = (...members: Cli[]): Line[] =>
    members.flatMap(({ stdout }) => stdout.map((line): Line => JSON.parse(line)));
  /** The sequences that `subject:2` assigns to a partition, if only {@link publish} has published to the stream. */
  const sequencesOf = (partition: number, partitions: number): number[] =>
    Array.from({ length: published }, (_, number) => number + 1).filter(
      (sequence) => partitionOf(`c${(sequence - 1) % CUSTOMERS}`, partitions) === partition,
    );
  const numberOf = ({ data }: Line): number => JSON.parse(data).number;

  before(async () => {
    connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'ORDERS', subjects: ['orders.*.*'] });
    await publish(400);
  });

  after(async () => {
    await stopAll();
    await connection.close();
  });

  it('a keyed group handles every message, each key in order, and also the messages that a killed member had begun', async () => {
    const flags = ['--group', 'billing', '--key', 'subject:2', '--partitions', '8', '--work', '1ms'];
    const members = ['one', 'two', 'three'].map((name) => consume('--name', name, ...flags));
    const [one] = members;
    // The first member may handle everything before the others join, so more messages are published.
    const share = async (): Promise<boolean> => {
      await publish(20);
      return members.every(({ stdout }) => stdout.length > 0);
    };
    await until('three members handle messages', share, 20_000);
    await publish(200);
    one?.signal('SIGKILL');
    await publish(400);
    const numbers = (): Set<number> => new Set(linesOf(...members).map(numberOf));
    await until('all messages are handled', () => numbers().size === published, 40_000);
    for (const { partition, key, subject } of linesOf(...members)) {
      assert.equal(key, subject.split('.')[1]);
      assert.equal(partition, partitionOf(key, 8));
    }
    // Each member handles a customer's messages in order. Another member may repeat the last messages of the killed member.
    for (const member of members) {
      const last = new Map<string, number>();
      for (const line of linesOf(member)) {
        assert.ok(numberOf(line) > (last.get(line.key) ?? -1), `${line.key} ${numberOf(line)}`);
        last.set(line.key, numberOf(line));
      }
    }
    const status = await natspoc('leases', '--group', 'billing', '--json');
    assert.equal(JSON.parse(status.stdout).totals.partitions, 8);
    const check = await natspoc('leases', 'check', '--group', 'billing');
    assert.equal(check.code, 0, check.stdout);
    const stream = await natspoc('stream', '--group', 'billing');
    assert.doesNotMatch(stream.stdout, /LAST STORED/, 'the server does not know the partitions');
    assert.match(stream.stdout, /8 partitions by subject:2 of >/);
    for (const member of members.slice(1)) member.signal('SIGTERM');
    for (const member of members.slice(1)) assert.equal((await member.exited).code, 0);
  });

  it('a keyed group handles all messages if few of them fit into the memory of a member', async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'LARGE', subjects: ['large.*'] });
    const data = Buffer.alloc(100_000, 'x');
    const messages = 120;
    for (let i = 0; i < messages; i++) await connection.jetstream().publish(`large.${i}`, data);
    const handled = new Set<number>();
    const join = (name: string) =>
      joinGroup({
        servers: server.url,
        stream: 'LARGE',
        key: 'subject:2',
        partitions: 8,
        name,
        // Each of a member's two readers may hold 20 messages.
        bufferBytes: 4_000_000,
        logger: false,
        // A partition that never gets on must not hold up the others.
        handler: ({ sequence }, { partition, signal }) => {
          if (partition === 0) return new Promise((resolve) => signal.addEventListener('abort', resolve));
          handled.add(sequence);
          return undefined;
        },
      });
    const wanted = Array.from({ length: messages }, (_, i) => i + 1).filter(
      (sequence) => partitionOf(`${sequence - 1}`, 8) !== 0,
    );
    const members = await Promise.all([join('one'), join('two')]);
    await until('the other partitions are handled', () => wanted.every((sequence) => handled.has(sequence)));
    await Promise.all(members.map((member) => member.leave()));
  });

  it('a keyed group continues where it stopped, with the key, filter and partition count of its first member', async () => {
    const first = ['consume', '--group', 'mails', '--until-caught-up', '--output', 'ndjson'];
    const made = await natspoc(
      ...first,
      '--key',
      'json:customer.id',
      '--filter',
      'orders.*.created',
      '--partitions',
      '3',
    );
    assert.equal(made.code, 0, made.stderr);
    const lines = made.stdout.split('\n').map((line): Line => JSON.parse(line));
    assert.deepEqual([...new Set(lines.map(({ subject }) => subject.split('.')[2]))], ['created']);
    assert.equal(lines.length, published / KINDS.length);
    assert.deepEqual(
      lines.filter(({ key, partition }) => partition !== partitionOf(key, 3)),
      [],
    );
    await publish(8);
    const later = await natspoc(...first, '--prefix', 'foo');
    assert.match(
      later.stderr,
      /--prefix is not used: group mails has the key json:customer\.id and reads orders\.\*\.created/,
    );
    assert.equal(later.stdout.split('\n').length, 2, later.stdout);
  });

  it('messages without a key use their subject as the key, and are counted and reported', async () => {
    const group = ['--group', 'keyless', '--key', 'json:nobody.id', '--partitions', '2'];
    const member = consume(...group, '--health-port', '0');
    const [, url = ''] = /(http:\/\/[^/\s]+)/.exec(await member.note(/http:\/\//)) ?? [];
    await until('all messages are handled', () => member.stdout.length === published, 20_000);
    await member.note(/warning: message \d+ of p\d has no key: such messages are ordered by their subject/);
    const { totals, members } = JSON.parse((await natspoc('leases', '--group', 'keyless', '--json')).stdout);
    assert.equal(totals.withoutKey, published);
    assert.equal(members[0].withoutKey, published);
    const leases = await natspoc('leases', '--group', 'keyless');
    assert.match(
      leases.stdout,
      new RegExp(`${published.toLocaleString('en')} messages handled without a key`),
    );
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, new RegExp(`^natspoc_messages_without_key_total\\{[^}]*\\} ${published}$`, 'm'));
    member.signal('SIGTERM');
    const { stderr } = await member.exited;
    assert.match(stderr, new RegExp(`warning: ${published.toLocaleString('en')} messages had no key`));
  });

  it('messages without a key become dead letters if requested, one by one and in batches', async () => {
    const jetstream = connection.jetstream();
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'MIXED', subjects: ['mixed.*'] });
    const payloads = ['{"id":1}', 'no JSON', '{"name":2}', '{"id":3}', '[]', '{"id":4}'];
    for (const payload of payloads) await jetstream.publish('mixed.a', payload);
    const flags = [
      '--stream',
      'MIXED',
      '--key',
      'json:id',
      '--partitions',
      '2',
      '--without-key',
      'dead-letter',
    ];
    for (const [group, ...output] of [
      ['single', '--output', 'ndjson'],
      ['batched', '--exec', 'cat', '--exec-batch', '10'],
    ]) {
      const place = ['--server', server.url, '--group', group ?? '', '--until-caught-up'];
      const { stdout, stderr, code } = await runCli(['consume', ...place, ...flags, ...output]);
      assert.equal(code, 0, stderr);
      const data = stdout.split('\n').map((line): string => JSON.parse(line).data);
      assert.deepEqual(data.sort(), ['{"id":1}', '{"id":3}', '{"id":4}']);
      assert.match(stderr, /\(dead-letter\): it has no key/, group);
    }
    const letters: [string, string | undefined][] = [];
    const { state } = await manager.streams.info('MIXED_dead');
    for (let seq = 1; seq <= state.last_seq; seq++) {
      const letter = await manager.streams.getMessage('MIXED_dead', { seq });
      letters.push([letter.string(), letter.header.get('Natspoc-Dead-Group')]);
    }
    assert.deepEqual(letters, [
      ['no JSON', 'single'],
      ['{"name":2}', 'single'],
      ['[]', 'single'],
      ['no JSON', 'batched'],
      ['{"name":2}', 'batched'],
      ['[]', 'batched'],
    ]);
  });

  it('a partition halts at a message without a key that cannot be stored as a dead letter', async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'FULL', subjects: ['full.*'] });
    const halted: string[] = [];
    const handled: string[] = [];
    const member = await joinGroup({
      servers: server.url,
      stream: 'FULL',
      key: 'json:id',
      partitions: 1,
      withoutKey: 'dead-letter',
      onFailure: 'skip',
      logger: false,
      handler: (message) => void handled.push(message.key ?? 'none'),
      listen: (opened) => void opened.on('halted', ({ message }) => halted.push(message)),
    });
    await manager.streams.update('FULL_dead', { max_msgs: 1, discard: DiscardPolicy.New });
    for (const payload of ['{"id":1}', 'lost', 'never', '{"id":2}'])
      await connection.jetstream().publish('full.a', payload);
    await until('the partition is halted', () => halted.length > 0);
    assert.match(halted[0] ?? '', /message 3 failed and could not be stored as a dead letter/);
    assert.deepEqual(handled, ['1']);
    assert.equal(member.counters.deadLettered, 1);
    await member.leave();
  });

  async function refusalOf(options: Record<string, unknown>): Promise<[code: string, message: string]> {
    const all = {
      servers: server.url,
      stream: 'ORDERS',
      handler: () => {},
      logger: false as const,
      ...options,
    };
    const error = await joinGroup(all).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof NatspocError);
    return [error.code, error.message];
  }

  it('an estimated lag is marked, and unread messages are counted exactly', async () => {
    const group = ['--group', 'late', '--key', 'subject:2', '--partitions', '4'];
    const made = await natspoc('consume', ...group, '--until-caught-up', '--output', 'none');
    assert.equal(made.code, 0, made.stderr);
    await publish(6);
    const status = JSON.parse((await natspoc('leases', '--group', 'late', '--json')).stdout);
    assert.equal(status.unread.messages, 6);
    assert.ok(status.unread.oldestAgeMs >= 0);
    assert.equal(status.totals.lagIsEstimate, true);
    assert.deepEqual(
      status.partitions.map(({ lag, lagIsEstimate }: { lag: number; lagIsEstimate: boolean }) => [
        lag,
        lagIsEstimate,
      ]),
      Array.from({ length: 4 }, () => [2, true]),
    );
    const leases = await natspoc('leases', '--group', 'late');
    assert.match(leases.stdout, /^ {2}p0 .* ~2 .* idle$/m);
    assert.match(leases.stdout, /lag ~6 · 6 messages of the stream not read yet, the oldest .* old/);
    const stream = await natspoc('stream', '--group', 'late');
    assert.match(stream.stdout, /^late .* ~6$/m);
  });

  it('a group that has handled all messages has no lag, even before its positions reach the end of the stream', async () => {
    const member = consume('--group', 'caught-up', '--key', 'subject:2', '--partitions', '64');
    await until('all messages are handled', () => member.stdout.length === published, 20_000);
    const { stdout } = await natspoc('leases', '--group', 'caught-up', '--json');
    const { lag, oldestMs } = JSON.parse(stdout).totals;
    assert.deepEqual([lag, oldestMs], [0, null]);
    member.signal('SIGTERM');
    await member.exited;
  });

  it('a seek counts only messages of the partition, which are spread over the stream', async () => {
    const options = { servers: server.url, stream: 'ORDERS', group: 'steps' };
    const repeated: number[] = [];
    const member = await joinGroup({
      ...options,
      logger: false,
      key: 'subject:2',
      partitions: 4,
      from: 'new',
      handler: ({ sequence }) => void repeated.push(sequence),
    });
    await using stream = await openStream(options);
    const group = stream.group();
    const partition = partitionOf('c0', 4);
    const mine = sequencesOf(partition, 4);
    await until('all partitions have owners', () => member.isSettled);
    const back = await natspoc('leases', 'seek', `${partition}`, '--group', 'steps', '--to', '-5', '--force');
    const fifth = mine.at(-5) ?? 0;
    assert.equal(back.stdout, `p${partition} from ${published} to ${fifth - 1}: 5 messages handled again`);
    await until('five messages are repeated', () => repeated.length >= 5);
    assert.deepEqual(repeated, mine.slice(-5));
    await member.leave();
    const exact = { partition, countIsEstimate: false, moved: true, message: null };
    const [first] = await group.seek([partition], { kind: 'first' });
    assert.deepEqual(first, { ...exact, from: first?.from, to: 0, skipped: 0, repeated: mine.length });
    const [on] = await group.seek([partition], { kind: 'relative', messages: 10 });
    assert.deepEqual(on, { ...exact, from: 0, to: mine[9], skipped: 10, repeated: 0 });
    const [far] = await group.planSeek([partition], { kind: 'relative', messages: -50_000 });
    assert.deepEqual([far?.to, far?.repeated], [0, 10]);
    await group.seek([0, 1, 2, 3], { kind: 'new' });
    const planned = await group.planSeek([0, 1, 2, 3], { kind: 'first' });
    assert.deepEqual(
      planned.map((step) => step.repeated),
      [0, 1, 2, 3].map((each) => sequencesOf(each, 4).length),
    );
  });

  it('stream tail shows the last messages of a partition, of the partition of a key, and of a filter', async () => {
    const options = { servers: server.url, stream: 'ORDERS', logger: false as const, from: 'new' as const };
    const key = { key: 'subject:2', partitions: 8, handler: () => {} };
    const members = await Promise.all([
      joinGroup({ ...options, ...key, group: 'shown' }),
      joinGroup({ ...options, ...key, group: 'shown-created', filter: 'orders.*.created' }),
    ]);
    await Promise.all(members.map((member) => member.leave()));
    const tail = async (...args: string[]): Promise<number[]> => {
      const { stdout, stderr } = await natspoc('stream', 'tail', '--no-follow', '--json', ...args);
      assert.equal(stderr, '');
      return stdout.split('\n').map((line): number => JSON.parse(line).sequence);
    };
    const [last, keyed, filtered] = await Promise.all([
      tail('--group', 'shown', '--partition', '3', '--last', '2'),
      tail('--group', 'shown', '--key', 'c5', '--last', '30'),
      tail('--group', 'shown-created', '--last', '3'),
    ]);
    assert.deepEqual(last, sequencesOf(3, 8).slice(-2));
    const isOfKey = (sequence: number): boolean => (sequence - 1) % CUSTOMERS === 5;
    assert.deepEqual(keyed, sequencesOf(partitionOf('c5', 8), 8).slice(-30).filter(isOfKey));
    const created = Array.from({ length: published }, (_, number) => number + 1);
    assert.deepEqual(filtered, created.filter((sequence) => (sequence - 1) % KINDS.length === 0).slice(-3));
  });

  it("a key, filter or partition count that differs from the group's is refused, and the error names both values", async () => {
    const [code, message] = await refusalOf({ group: 'billing', key: 'subject:3' });
    assert.equal(code, 'layout-mismatch');
    assert.match(
      message,
      /^Group billing has 8 partitions by subject:2, but this member asks for 8 partitions by subject:3/,
    );
    assert.equal((await refusalOf({ group: 'billing', partitions: 9 }))[0], 'layout-mismatch');
    assert.equal((await refusalOf({ group: 'billing', filter: 'orders.>' }))[0], 'layout-mismatch');
  });

  it('a token or subjects that the stream does not have, a filter without a key, and a missing stream are refused', async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'QUEUE', subjects: ['jobs.*'], retention: RetentionPolicy.Workqueue });
    await manager.streams.add({ name: 'COPY', mirror: { name: 'QUEUE' } });
    const refusals: [options: Record<string, unknown>, code: string, says: RegExp][] = [
      [{ key: 'subject:1' }, 'config', /is "orders" in every message.*Use subject:2/],
      [{ key: 'subject:4' }, 'config', /no subject of orders\.\*\.\* has that many tokens/],
      [{ key: 'subject:4', filter: 'orders.>' }, 'config', /names token 4, but no subject of orders\.> has/],
      [{ key: 'subject:2', partitions: 65_537 }, 'config', /65536/],
      [
        { key: 'subject:2', stream: 'COPY' },
        'layout-mismatch',
        /mirrors QUEUE, which has workqueue retention/,
      ],
      [{ key: 'subject:2', filter: 'invoices.>' }, 'config', /no subjects that match invoices/],
      [{ filter: 'orders.>' }, 'config', /needs a key/],
      [{ stream: 'NONE', key: 'subject:2' }, 'stream-missing', /There is no stream NONE/],
    ];
    for (const [options, code, says] of refusals) {
      const refusal = await refusalOf({ group: 'x', ...options });
      assert.equal(refusal[0], code);
      assert.match(refusal[1], says);
    }
  });

  it('a key is not refused if the stream also copies messages whose subjects are unknown', async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'SOURCE_OF_COPIES', subjects: ['copied.>'] });
    await manager.streams.add({
      name: 'WITH_COPIES',
      subjects: ['copies.orders.*'],
      sources: [{ name: 'SOURCE_OF_COPIES' }],
    });
    const place = { servers: server.url, stream: 'WITH_COPIES', logger: false as const, handler: () => {} };
    await (await joinGroup({ ...place, group: 'mixed', key: 'subject:2', partitions: 4 })).leave();
  });

  it('openStream opens a stream that only keyed groups read, and shows each group with its own partitions', async () => {
    const place = { servers: server.url, stream: 'ORDERS', logger: false as const, handler: () => {} };
    const sizes = { 'open-3': 3, 'open-5': 5 };
    for (const [group, partitions] of Object.entries(sizes))
      await (await joinGroup({ ...place, group, key: 'subject:2', partitions })).leave();
    await using stream = await openStream({ servers: server.url, stream: 'ORDERS' });
    const groups = await stream.groups();
    assert.ok(groups.includes('open-3') && groups.includes('open-5'), groups.join());
    for (const [group, partitions] of Object.entries(sizes))
      assert.equal((await stream.group(group).status()).partitions.length, partitions);
    const missing = {
      code: 'group-missing',
      message: /Choose one of these groups with option "group": .*open-3/,
    };
    assert.throws(() => stream.group(), missing);
    assert.throws(() => stream.group('nobody'), missing);
    await assert.rejects(stream.status(), missing);
    for await (const { group } of stream.deadLetters()) assert.ok(group);
  });

  it('for a stream without a layout, errors report that a group needs a key, and that a publisher needs a subject', async () => {
    const place = { servers: server.url, stream: 'ORDERS', logger: false as const };
    const keyed =
      /^Stream ORDERS listens to .*\. For a group over the stream as it is, give a key with (.*), such as subject:2\. For partitions, give their prefix with (.*), or choose another stream with (.*)\.$/;
    const [code, joining] = await refusalOf({ group: 'forgotten' });
    assert.equal(code, 'layout-mismatch');
    assert.deepEqual(keyed.exec(joining)?.slice(1), ['option "key"', 'option "prefix"', 'option "stream"']);
    await assert.rejects(createPublisher(place), /own subjects set option "ownSubjects"\. For partitions/);
    const consumed = await natspoc('consume', '--group', 'forgotten');
    assert.match(consumed.stderr, /as it is, give a key with --key, such as subject:2\./);
    const published = await natspoc('publish', 'x');
    assert.match(published.stderr, /subjects of this stream, give a subject with --subject\. For partitions/);
    assert.deepEqual([consumed.code, published.code], [4, 4]);
  });

  it('a command without --group names the keyed groups of the stream', async () => {
    const { stderr, code } = await natspoc('leases');
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /ORDERS is read by groups with a key.*Choose one of these groups with --group: .*mails/,
    );
    const { error } = JSON.parse((await natspoc('leases', '--json')).stdout);
    assert.equal(error.code, 'group-missing');
  });

  it('"stream" without --group shows the partitions of the first keyed group, lists every group, and names the other groups', async () => {
    const { stdout, stderr, code } = await natspoc('stream');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Layout +\d+ partitions? by /m);
    assert.match(stderr, /^The partitions are those of group [\w-]+; --group shows those of .*\.$/);
    const status = JSON.parse((await natspoc('stream', '--json')).stdout);
    assert.equal(status.name, 'ORDERS');
    const sizes = (groups: { group: string; partitions: number }[]) =>
      groups.map(({ group, partitions }) => [group, partitions]);
    const { groups } = JSON.parse((await natspoc('groups', '--json')).stdout);
    assert.ok(groups.length > 1);
    assert.deepEqual(sizes(status.groups), sizes(groups));
    assert.equal((await natspoc('stream', '--group', 'nope')).code, 1);
  });

  it('a key is refused for a group that has begun with the layout of natspoc', async () => {
    const options = { servers: server.url, stream: 'OWN', prefix: 'own', group: 'g', logger: false as const };
    const member = await joinGroup({ ...options, handler: () => {} });
    await member.leave();
    const [code, message] = await refusalOf({ stream: 'OWN', group: 'g', key: 'header:Natspoc-Key' });
    assert.equal(code, 'layout-mismatch');
    assert.match(message, /with a key its positions would refer to other messages/);
  });

  it('if a member with a key and a member without a key begin a group at the same time, the group has one kind, and errors name both kinds', async () => {
    const options = { servers: server.url, stream: 'RACE', prefix: 'race', logger: false as const };
    const handler = (): void => {};
    await (await joinGroup({ ...options, group: 'other', handler })).leave();
    const KEYED = 3;
    const refused: string[] = [];
    for (let race = 0; race < 8; race++) {
      const both = { ...options, group: `race-${race}`, handler };
      const joining = [joinGroup({ ...both, key: 'header:Natspoc-Key', partitions: KEYED }), joinGroup(both)];
      const ended = await Promise.allSettled(joining);
      const joined = ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const errors = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      await until('all partitions have owners', () => joined.every((member) => member.isSettled));
      const owned = joined.flatMap((member) => member.partitions.map(({ partition }) => partition));
      await Promise.all(joined.map((member) => member.leave()));
      if (errors.length === 0) {
        // The member without a key joined second, so it has adopted the group's layout.
        assert.ok(Math.max(...owned) < KEYED, `both kinds: ${owned}`);
        continue;
      }
      assert.ok(errors[0] instanceof NatspocError);
      assert.equal(errors[0].code, 'layout-mismatch');
      refused.push(errors[0].message);
    }
    assert.match(
      refused.join(' '),
      /handles (messages by|the partitions).*asks for (messages by|the partitions)/,
    );
  });

  it('stream purge, delete and trim delete nothing in the stream of a keyed group', async () => {
    for (const command of ['purge', 'delete', 'trim'])
      await natspoc('stream', command, '--group', 'billing', '--force');
    const { state } = await (await connection.jetstreamManager()).streams.info('ORDERS');
    assert.equal(state.messages, published);
  });

  it('redrive puts a dead letter back to its original subject', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'natspoc-keyed-'));
    try {
      const handler = join(folder, 'handler.mjs');
      await writeFile(handler, 'export default () => { throw new Error("no"); };');
      const flags = ['--group', 'bad', '--key', 'subject:2', '--partitions', '2', '--from', 'new'];
      const failing = consume(
        ...flags,
        '--handler',
        handler,
        '--max-attempts',
        '1',
        '--on-failure',
        'dead-letter',
      );
      await failing.note(/joined group/);
      await failing.tookOver(2);
      await publish(1);
      await failing.note(/\(dead-letter\)/);
      failing.signal('SIGTERM');
      await failing.exited;
      const listed = await natspoc('stream', 'dead', '--group', 'bad', '--json');
      assert.equal(JSON.parse(listed.stdout).key, `c${(published - 1) % CUSTOMERS}`);
      const { stdout: shown } = await natspoc('stream', 'dead', '1', '--group', 'bad');
      assert.match(shown, /^Key +c\d+$/m);
      assert.doesNotMatch(shown, /Natspoc-Key/);
      const none = await natspoc('stream', 'dead', '--group', 'mails');
      assert.equal(none.stderr, 'no dead letters of group mails; group bad has some');
      const missing = await natspoc('stream', 'dead', '1', '--group', 'mails');
      assert.match(
        missing.stderr,
        /no dead letter 1 of group mails\. "natspoc stream dead --server \S+ --stream ORDERS --group mails" lists/,
      );
      const noted = await natspoc('groups');
      assert.match(
        noted.stderr,
        /in group bad: no; "natspoc stream dead --group bad --server \S+ --stream ORDERS" lists it$/,
      );
      const redriven = await natspoc('stream', 'redrive', '--group', 'bad');
      assert.equal(redriven.code, 0, redriven.stderr);
      const manager = await connection.jetstreamManager();
      const { state } = await manager.streams.info('ORDERS');
      const again = await manager.streams.getMessage('ORDERS', { seq: state.last_seq });
      const number = published - 1;
      assert.equal(again.subject, `orders.c${number % CUSTOMERS}.${KINDS[number % KINDS.length]}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('redrive keeps and names a forged dead letter whose subject no server would accept', async () => {
    const about = headers();
    const said = { Stream: 'ORDERS', Sequence: '1', Partition: '0', Group: 'bad', Time: 't' };
    const subject = `orders.${'x'.repeat(5_000)}.paid`;
    for (const [name, value] of Object.entries({ ...said, Subject: subject }))
      about.set(`Natspoc-Dead-${name}`, value);
    const manager = await connection.jetstreamManager();
    const { config } = await manager.streams.info('ORDERS_dead');
    const letter = await connection.jetstream().publish(config.subjects[0] ?? '', '', { headers: about });
    const { code, stderr } = await natspoc('stream', 'redrive', '--group', 'bad');
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      new RegExp(`letter ${letter.seq} .* stays: The subject has 5012 bytes, and at most 3000 are possible`),
    );
    await manager.streams.deleteMessage('ORDERS_dead', letter.seq);
  });

  it('a program can give the key as a function, and a program without that function is refused', async () => {
    const handled: [number, string | null][] = [];
    const options = { servers: server.url, stream: 'ORDERS', group: 'tenants', logger: false as const };
    const key = { name: 'tenant', of: ({ subject }: { subject: string }) => `t${subject.length % 2}` };
    const member = await joinGroup({
      ...options,
      key,
      partitions: 2,
      handler: (message, { partition }) => void handled.push([partition, message.key]),
    });
    const { state } = await (await connection.jetstreamManager()).streams.info('ORDERS');
    await until('all messages are handled', () => handled.length >= state.messages, 20_000);
    for (const [partition, tenant] of handled) assert.equal(partition, partitionOf(tenant ?? '', 2));
    await assert.rejects(
      joinGroup({ ...options, handler: () => {} }),
      /only a program that joins with this function/,
    );
    await member.leave();
    await using stream = await openStream({ servers: server.url, stream: 'ORDERS', group: options.group });
    const group = stream.group();
    const share = Math.floor(state.messages / 2);
    assert.deepEqual(
      (await group.planSeek([0, 1], { kind: 'first' })).map((step) => [step.repeated, step.countIsEstimate]),
      [
        [share, true],
        [share, true],
      ],
    );
    const { stdout } = await natspoc(
      'leases',
      'seek',
      '1',
      '--group',
      'tenants',
      '--to',
      'first',
      '--dry-run',
    );
    assert.match(stdout, /^p1 from \d+ to 0: ~[\d,]+ messages handled again$/);
    for (const messages of [-5, 5])
      await assert.rejects(
        group.planSeek([1], { kind: 'relative', messages }),
        /function:tenant: only a program with this function knows the partition of a message/,
      );
    const [stay] = await group.planSeek([1], { kind: 'relative', messages: 0 });
    assert.deepEqual([stay?.from, stay?.skipped, stay?.repeated], [stay?.to, 0, 0]);
    await assert.rejects(stream.tail(1, { follow: false }).next(), /only a program with this function/);
  });

  it('a member whose key function throws reports it at once, and stops before the message', async () => {
    const lines: string[] = [];
    const keep = (_fields: object, text: string): void => void lines.push(text);
    const handled: number[] = [];
    const member = await joinGroup({
      ...{ servers: server.url, stream: 'ORDERS', group: 'throwing', partitions: 2 },
      key: {
        name: 'tenant',
        of: ({ sequence, subject }) => {
          if (sequence === 30) throw new TypeError('no tenant');
          return subject;
        },
      },
      logger: { debug: keep, info: keep, warn: keep, error: keep },
      handler: ({ sequence }) => void handled.push(sequence),
    });
    const said =
      /p\d cannot be read .*key function tenant threw "no tenant" for message 30, .* null for no key/;
    await until(
      'both partitions say why they stop',
      () => lines.filter((line) => said.test(line)).length === 2,
    );
    await until('the messages before it are handled', () => handled.length === 29);
    assert.ok(Math.max(...handled) < 30);
    await member.leave();
  });

  it('a member waits for a stream that is not known at first, as while JetStream is being enabled', async () => {
    const manager = await connection.jetstreamManager();
    const looks = connection.subscribe('$JS.API.STREAM.INFO.LATE');
    const joining = joinGroup({
      ...{
        servers: server.url,
        stream: 'LATE',
        group: 'late',
        key: 'subject:2',
        partitions: 1,
        logger: false,
      },
      handler: () => {},
    });
    for await (const _ of looks) break;
    await connection.flush();
    await manager.streams.add({ name: 'LATE', subjects: ['late.*'] });
    const member = await joining;
    await member.leave();
    await manager.streams.delete('LATE');
  });
});
