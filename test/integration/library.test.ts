import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import {
  createPublisher,
  type GroupMember,
  type JoinGroupOptions,
  joinGroup,
  NatspocError,
  partitionOf,
  type Report,
  StopConsuming,
  textOf,
} from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Runs `use`, and catches the errors that would otherwise end the process. */
async function withBugs(use: (errors: readonly unknown[]) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => errors.push(error));
  try {
    await use(errors);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  }
}

/** Deletes the only reader of a stream, as a newer owner or another client would. */
async function deleteReader(manager: JetStreamManager, stream: string): Promise<void> {
  const [reader] = await manager.consumers.list(stream).next();
  assert.ok(reader);
  await manager.consumers.delete(stream, reader.name);
}

type Change = (...[message, context]: Parameters<NonNullable<JoinGroupOptions['handler']>>) => void;

/** Assignments that a handler can make by mistake. `Object.assign` ignores `readonly`. */
const changes: [name: string, change: Change][] = [
  ...Object.entries({
    sequence: 1_000,
    subject: 'x.y',
    data: new Uint8Array(0),
    size: 0,
    timestampMs: 1,
    key: 'z',
    headers: { 'X-Own': 'mine' },
  }).map(([field, value]): [string, Change] => [
    `the field ${field} of a message`,
    (message) => void Object.assign(message, { [field]: value }),
  ]),
  ['a method of its context', (_message, context) => void Object.assign(context, { abort: 1 })],
];

describe('the library', function () {
  this.timeout(60_000);
  const server = withServer();
  const members: GroupMember[] = [];
  let connection: NatsConnection;
  let streams = 0;
  let stream: string;

  before(async () => {
    connection = await connect({ servers: server.url });
  });
  after(() => connection.close());
  beforeEach(() => {
    stream = `L${++streams}`;
  });
  afterEach(async () => {
    for (const member of members.splice(0)) await member.leave().catch(() => {});
  });

  const place = () => ({ connection, stream, prefix: `${stream}.e`, partitions: 4 });
  const join = async (handler: JoinGroupOptions['handler'], more: Partial<JoinGroupOptions> = {}) => {
    const options = { ...place(), handler, probeIntervalMs: 100, ...more } as JoinGroupOptions;
    const member = await joinGroup(options);
    members.push(member);
    return member;
  };
  const publish = async (count: number, keys = 10) => {
    const publisher = await createPublisher({ ...place(), dedupe: true });
    const stored = await Promise.all(
      Array.from({ length: count }, (_, i) => publisher.publish({ key: `k${i % keys}`, data: String(i) })),
    );
    await publisher.close();
    return stored;
  };

  const publishOne = async () => {
    const publisher = await createPublisher({ ...place(), partitions: 1 });
    await publisher.publish({ data: 'x' });
    await publisher.close();
  };

  it('the library frees a closed publisher while its connection stays open', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = async () => {
      const publisher = await createPublisher(place());
      await publisher.publish({ data: 'x' });
      await publisher.close();
      return new WeakRef(publisher);
    };
    const publishers: WeakRef<object>[] = [];
    for (let i = 0; i < 10; i++) publishers.push(await used());
    await until('all publishers are freed', () => {
      collect();
      return publishers.every((publisher) => publisher.deref() === undefined);
    });
  });

  it('the library hands the messages of a partition to the batch handler in order, and commits each batch as a whole', async () => {
    await publish(500);
    const batches: { partition: number; numbers: number[] }[] = [];
    const member = await joinGroup({
      ...place(),
      batchHandler: async (messages, { partition }) => {
        batches.push({ partition, numbers: messages.map(({ sequence }) => sequence) });
      },
      batch: { messages: 50, waitMs: 20 },
      probeIntervalMs: 100,
    });
    members.push(member);
    await until('all messages are handled', () => member.counters.handled === 500);
    for (let partition = 0; partition < 4; partition++) {
      const own = batches.filter((batch) => batch.partition === partition).flatMap(({ numbers }) => numbers);
      assert.deepEqual(
        own,
        [...own].sort((a, b) => a - b),
      );
    }
    assert.ok(batches.every(({ numbers }) => numbers.length <= 50));
    assert.ok(batches.length < 100, 'waiting messages share batches');
    await member.leave();
    const again: number[] = [];
    await join(({ sequence }) => again.push(sequence));
    await publish(1);
    await until('the next message is handled', () => again.length > 0);
    assert.equal(again.length, 1);
  });

  it('the library fills batches that are larger than the first request of a reader', async () => {
    const publisher = await createPublisher(place());
    for (let i = 0; i < 2_000; i++) publisher.send({ partition: 1, data: 'x' });
    await publisher.close();
    const sizes: number[] = [];
    const member = await joinGroup({
      ...place(),
      batchHandler: async (messages) => {
        sizes.push(messages.length);
      },
      batch: { messages: 500, waitMs: 5_000 },
    });
    members.push(member);
    await until('all messages are handled', () => member.counters.handled === 2_000);
    // After a full batch the next batch starts at once, full or not.
    assert.deepEqual([sizes[0], Math.max(...sizes)], [500, 500], sizes.join(' '));
  });

  it('the library publishes and handles messages, every key in order', async () => {
    const stored = await publish(200);
    assert.equal(new Set(stored.map(({ sequence }) => sequence)).size, 200);
    const byKey = new Map<string, number[]>();
    await join(
      (message, { key }) => {
        const numbers = byKey.get(key ?? '') ?? [];
        numbers.push(Number(textOf(message.data)));
        byKey.set(key ?? '', numbers);
        return new Promise((resolve) => setImmediate(resolve));
      },
      { concurrency: 8 },
    );
    await until('all messages are handled', () => [...byKey.values()].flat().length === 200);
    for (const numbers of byKey.values())
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
  });

  it('a member that starts from "new" handles messages published after it joined, even in partitions that it acquires later', async () => {
    await publish(50);
    const handled: string[] = [];
    const handler: JoinGroupOptions['handler'] = ({ data }) => void handled.push(textOf(data) ?? '');
    await join(handler, { from: { kind: 'new' } });
    const publisher = await createPublisher(place());
    await Promise.all(
      Array.from({ length: 16 }, (_, n) => publisher.publish({ data: `new ${n}`, partition: n % 4 })),
    );
    await publisher.close();
    await until('all messages are handled', () => handled.length === 16);
    assert.deepEqual(new Set(handled), new Set(Array.from({ length: 16 }, (_, n) => `new ${n}`)));
  });

  it('a group that starts from "new" keeps the start of its first member', async () => {
    const first = await join(() => {}, { from: { kind: 'new' } });
    await first.leave();
    const manager = await connection.jetstreamManager();
    // The first member has handled nothing in this partition.
    const filter = `$KV.${stream}_leases.position.default.2`;
    await manager.streams.purge(`KV_${stream}_leases`, { filter });
    await publish(40);
    const handled: number[] = [];
    await join(({ sequence }) => void handled.push(sequence), { from: { kind: 'new' } });
    await until('all messages are handled', () => handled.length === 40);
  });

  it('a member emits named events', async () => {
    const reports: Report[] = [];
    const first = await join(() => {}, {
      name: 'first',
      listen: (member) => member.on('report', (r) => reports.push(r)),
    });
    await until('the first member has all partitions', () => first.partitions.length === 4);
    const [own] = reports;
    assert.ok(own?.type === 'joined' && own.name === 'first', JSON.stringify(own));
    const [joined, handedOver] = [once(first, 'member-joined'), once(first, 'handed-over')];
    const second = await join(() => {}, { name: 'second' });
    assert.equal((await joined)[0].name, 'second');
    assert.equal((await handedOver)[0].to, 'second');
    await until('they share', () => first.partitions.length === 2 && second.partitions.length === 2);
    const committed = once(second, 'committed');
    const handled = once(second, 'handled');
    const partition = second.partitions[0]?.partition;
    assert.ok(partition !== undefined);
    const publisher = await createPublisher(place());
    const { sequence } = await publisher.publish({ data: 'x', partition });
    await publisher.close();
    assert.equal((await handled)[0].message.sequence, sequence);
    assert.deepEqual([(await committed)[0].partition, (await committed)[0].sequence], [partition, sequence]);
  });

  it('a leaving member hands over, and the other members continue immediately', async () => {
    const seen: number[] = [];
    const handler = ({ sequence }: { sequence: number }) => {
      seen.push(sequence);
    };
    const first = await join(handler);
    await publish(20);
    await until('all messages are handled', () => seen.length === 20);
    const second = await join(handler);
    await until('they share', () => second.partitions.length === 2);
    await first.leave();
    await first.closed;
    await until('the second member has all partitions', () => second.partitions.length === 4);
    await publish(20);
    await until('all messages are handled', () => seen.length === 40);
    assert.equal(new Set(seen).size, 40, 'none twice');
  });

  it('a member leaves at the end of an await using block, and when a signal aborts', async () => {
    const stop = new AbortController();
    const other = await join(() => {}, { signal: stop.signal });
    {
      await using member = await joinGroup({ ...place(), handler: () => {} });
      await until('the member has joined', () => member.id !== null);
    }
    await until('the other member has all partitions', () => other.partitions.length === 4);
    stop.abort();
    await other.closed;
    assert.equal(connection.isClosed(), false, 'the program owns the connection');
  });

  it('a member opens and closes its own connection if it is given URLs', async () => {
    const handled: string[] = [];
    const member = await joinGroup({
      servers: server.url,
      stream,
      prefix: `${stream}.e`,
      handler: (message) => void handled.push(textOf(message.data) ?? ''),
    });
    const publisher = await createPublisher({ servers: [server.url], stream });
    await publisher.publish({ data: 'hello' });
    await publisher.close();
    await until('the message is handled', () => handled.length === 1);
    await member.leave();
    assert.deepEqual(handled, ['hello']);
  });

  it('a member retries messages, and stores dead letters', async () => {
    await publish(3, 1);
    const attempts: [string, number][] = [];
    const member = await join(
      (message, { attempt }) => {
        const text = textOf(message.data) ?? '';
        attempts.push([text, attempt]);
        if (text === '1') throw new Error('one');
      },
      { maxAttempts: 2, backoff: { baseMs: 1, maxMs: 1 }, onFailure: 'dead-letter' },
    );
    await until('all are settled', () => member.counters.handled === 3);
    assert.deepEqual(attempts, [
      ['0', 1],
      ['1', 1],
      ['1', 2],
      ['2', 1],
    ]);
    assert.deepEqual(member.counters, {
      handled: 3,
      failed: 2,
      retried: 1,
      deadLettered: 1,
      skipped: 0,
      withoutKey: 0,
    });
    const manager = await connection.jetstreamManager();
    const letter = await manager.streams.getMessage(`${stream}_dead`, { seq: 1 });
    assert.equal(letter.subject, `${stream}.e.dead`);
    assert.equal(letter.header.get('Natspoc-Dead-Error'), 'one');
    assert.equal(letter.header.get('Natspoc-Key'), 'k0');
  });

  for (const [name, change] of changes)
    it(`a handler that assigns ${name} fails visibly, and moves no position`, async () => {
      await publish(3, 1);
      const errors: string[] = [];
      const member = await join((message, context) => change(message, context), {
        maxAttempts: 1,
        onFailure: 'dead-letter',
      });
      member.on('failed', ({ error }) => errors.push(String(error)));
      await until('all are dead letters', () => member.counters.deadLettered === 3);
      assert.deepEqual([...new Set(errors.map((error) => error.slice(0, 10)))], ['TypeError:']);
      const manager = await connection.jetstreamManager();
      const letter = await manager.streams.getMessage(`${stream}_dead`, { seq: 2 });
      assert.deepEqual(
        ['Sequence', 'Subject'].map((field) => letter.header.get(`Natspoc-Dead-${field}`)),
        ['2', `${stream}.e.p.${partitionOf('k0', 4)}`],
      );
      assert.equal(letter.header.get('Natspoc-Key'), 'k0');
      assert.ok(member.partitions.every(({ position }) => position <= 3));
    });

  it('a member counts only dead letters that are stored', async () => {
    const dealt: string[] = [];
    const fails = (): never => {
      throw new Error('no');
    };
    const member = await join(fails, {
      partitions: 1,
      maxAttempts: 1,
      onFailure: 'dead-letter',
      listen: (events) => events.on('handled', ({ how }) => dealt.push(how)),
    });
    await publishOne();
    await until('the first letter is stored', () => member.counters.handled === 1);
    const manager = await connection.jetstreamManager();
    await manager.streams.update(`${stream}_dead`, { max_msg_size: 1 });
    const halted = once(member, 'halted');
    await publishOne();
    assert.match((await halted)[0].message, /could not be stored as a dead letter/);
    assert.deepEqual(dealt, ['dead-letter']);
    assert.deepEqual(member.counters, {
      handled: 1,
      failed: 2,
      retried: 0,
      deadLettered: 1,
      skipped: 0,
      withoutKey: 0,
    });
  });

  it('a member ends with the reason if the handler cannot handle any message', async () => {
    await publish(1);
    const member = await join(() => {
      throw new StopConsuming('the database is gone');
    });
    await assert.rejects(member.closed, (error) => {
      assert.ok(error instanceof NatspocError);
      assert.equal(error.code, 'handler-failed');
      assert.match(error.message, /the database is gone/);
      return true;
    });
  });

  it('a member gives up a message whose handler throws a value that cannot be converted to a string', async () => {
    await publishOne();
    const thrown: Error = Object.create(null);
    const handler = (): never => {
      throw thrown;
    };
    const member = await join(handler, { partitions: 1, maxAttempts: 1 });
    const [{ message }] = await once(member, 'halted');
    assert.match(message, /failed: a value that cannot be converted to a string/);
  });

  it('a member has an id once it has joined', async () => {
    const member = await join(() => {});
    assert.match(member.id ?? '', /^\w+$/);
    const observer = await connection.jetstreamManager();
    const key = `$KV.${stream}_leases.group.default.session.${member.id}`;
    assert.ok(await observer.streams.getMessage(`KV_${stream}_leases`, { last_by_subj: key }));
  });

  it('joinGroup stops immediately when its signal aborts', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {}));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const stop = new AbortController();
    const joining = joinGroup({
      servers: `nats://127.0.0.1:${port}`,
      // A member that waits for this timeout fails the test.
      timeoutMs: 600_000,
      handler: () => {},
      signal: stop.signal,
    });
    await once(silent, 'connection');
    stop.abort(new Error('enough'));
    await assert.rejects(joining, /^Error: enough$/);
    silent.close();
  });

  it('an aborted join leaves nothing behind', async () => {
    const stop = new AbortController();
    let told: GroupMember | undefined;
    const joining = joinGroup({
      ...place(),
      handler: () => {},
      signal: stop.signal,
      listen: (member) => {
        told = member;
        stop.abort();
      },
    } as JoinGroupOptions);
    await assert.rejects(joining, { name: 'AbortError' });
    const member = told;
    assert.ok(member);
    await until('the member has left', () => member.partitions.length === 0);
    const other = await join(() => {});
    await until('the other member has all partitions', () => other.partitions.length === 4);
  });

  it('a member ends with the error when its bucket is deleted', async () => {
    const member = await join(() => {});
    await until('the member has joined', () => member.partitions.length === 4);
    const manager = await connection.jetstreamManager();
    await manager.streams.delete(`KV_${stream}_leases`);
    await assert.rejects(member.closed, NatspocError);
  });

  it('a member continues after its reader was deleted by a client that is not a newer owner', async () => {
    const handled: number[] = [];
    await join(({ sequence }) => void handled.push(sequence), { partitions: 1 });
    await publishOne();
    await until('the message is handled', () => handled.length === 1);
    const manager = await connection.jetstreamManager();
    await deleteReader(manager, stream);
    await publishOne();
    await until('the next message is handled', () => handled.length === 2);
    assert.deepEqual(handled, [1, 2]);
  });

  it('a partition starts again from a position that an operator moved under the epoch of its owner', async () => {
    await publishOne();
    let handled = 0;
    const member = await join(() => void handled++, { partitions: 1 });
    const [{ sequence }] = await once(member, 'committed');
    const manager = await connection.jetstreamManager();
    const name = `KV_${stream}_leases`;
    const query = { last_by_subj: `$KV.${stream}_leases.position.default.0` };
    const stored = await manager.streams.getMessage(name, query);
    assert.equal(stored.json<{ seq: number }>().seq, sequence);
    await connection.request(query.last_by_subj, JSON.stringify({ ...stored.json<object>(), seq: 0 }));
    await publishOne();
    await until('two messages were handled twice', () => handled === 4);
  });

  it('an observer that throws or rejects is logged, and the publisher and the process continue', async () => {
    const bug = (): never => {
      throw new Error('a bug');
    };
    const lines: string[] = [];
    const log = (_fields: object, text: string) => lines.push(text);
    const logger = { debug: log, info: log, warn: log, error: log };
    await withBugs(async (errors) => {
      const observer = { confirmed: bug, failed: async () => Promise.reject(new Error('another bug')) };
      const publisher = await createPublisher({ ...place(), observer, logger });
      for (let i = 1; i <= 3; i++) await publisher.publish({ data: 'x' });
      await assert.rejects(publisher.publish({ data: 'x', partition: 99 }), { code: 'usage' });
      await publisher.close();
      await until('both are logged', () => lines.length === 2);
      assert.deepEqual(lines, [
        'the observer of a publisher failed: a bug',
        'the observer of a publisher failed: another bug',
      ]);
      assert.deepEqual(errors, []);
    });
  });

  for (const [options, pattern] of [
    [{ ttlMs: 5 }, /^ttlMs: 5 is not a number of milliseconds/],
    [{ partitions: 5 }, /has 4 partitions, but option "partitions" is 5\..* Omit option "partitions" /],
    [
      { connection: undefined, servers: 'nats://127.0.0.1:1' },
      /Cannot reach NATS .*, or change option "servers"\.$/,
    ],
  ] as const) {
    it(`joinGroup refuses ${JSON.stringify(options)}`, async () => {
      await publish(1);
      await assert.rejects(
        joinGroup({ ...place(), handler: () => {}, ...options } as JoinGroupOptions),
        (error) => {
          assert.ok(error instanceof NatspocError);
          assert.match(error.message, pattern);
          return true;
        },
      );
    });
  }
});
