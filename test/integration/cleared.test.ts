import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { type GroupMember, joinGroup } from '../../src/core/index.js';
import { runCli } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const PARTITIONS = 4;

/** Messages that an operator deletes are no loss if the group has handled them. */
describe('messages that an operator deletes', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let stream = '';
  /** The number of published messages, and the last sequence of each partition. */
  let published = 0;
  let ends = new Map<number, number>();
  const members: GroupMember[] = [];

  before(async () => {
    connection = await connect({ servers: server.url });
  });
  after(() => connection.close());
  afterEach(async () => {
    for (const member of members.splice(0)) await member.leave();
  });

  const use = (name: string): void => {
    stream = name;
    published = 0;
    ends = new Map();
  };
  const join = async (name = ''): Promise<GroupMember> => {
    const place = { connection, stream, prefix: `${stream}.e`, partitions: PARTITIONS };
    const member = await joinGroup({ ...place, handler: () => {}, ...(name !== '' && { group: name }) });
    members.push(member);
    return member;
  };
  const leave = async (member: GroupMember): Promise<void> => {
    members.splice(members.indexOf(member), 1);
    await member.leave();
  };
  const publish = async (partition: number, count = 1): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const { seq } = await connection.jetstream().publish(`${stream}.e.p.${partition}`, 'x');
      ends.set(partition, seq);
      published++;
    }
  };
  const cli = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli([...args, '--stream', stream, '--server', server.url]);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  /** Waits until the member owns all partitions, and has committed each partition's last message. */
  const allCommitted = (member: GroupMember): Promise<void> =>
    until('everything is committed', () => {
      const { partitions } = member;
      const isAtEnd = ({ partition, committed }: (typeof partitions)[number]) =>
        committed >= (ends.get(partition) ?? 0);
      return (
        partitions.filter(({ state }) => state === 'running').length === PARTITIONS &&
        partitions.every(isAtEnd)
      );
    });
  /**
   * The number of lost messages, by partition. An owner looks for losses before it commits. So one message is sent to each partition first.
   */
  const losses = async (member: GroupMember): Promise<number[]> => {
    for (let partition = 0; partition < PARTITIONS; partition++) await publish(partition);
    await allCommitted(member);
    return [...member.partitions].sort((a, b) => a.partition - b.partition).map(({ trimmed }) => trimmed);
  };
  /** A second member joins. The first one leaves, and its partitions go to the second. */
  const handOver = async (first: GroupMember): Promise<GroupMember> => {
    const second = await join();
    await leave(first);
    return second;
  };
  const deleted = async (...command: string[]): Promise<number> =>
    JSON.parse(await cli('stream', ...command, '--force', '--json')).deleted;

  it('no loss is reported after a trim, for a partition that never had a message, and for one whose first message waits', async () => {
    use('C1');
    const first = await join();
    await allCommitted(first);
    await publish(0);
    await publish(1, 300);
    await allCommitted(first);
    assert.equal(await deleted('trim'), 301);
    const second = await handOver(first);
    await allCommitted(second);
    await publish(0);
    await publish(3);
    await allCommitted(second);
    await leave(second);
    await publish(1, 20);
    await publish(2);
    // No message of p2 was handled. Its first message still waits.
    assert.equal(await deleted('trim'), 2);
    assert.deepEqual(await losses(await join()), [0, 0, 0, 0]);
    await cli('leases', 'check');
  });

  it('no loss is reported after a purge of handled messages', async () => {
    use('C2');
    const first = await join();
    await allCommitted(first);
    for (const partition of [0, 2, 3]) await publish(partition);
    await publish(1, 300);
    await allCommitted(first);
    assert.equal(await deleted('purge'), published);
    assert.deepEqual(await losses(await handOver(first)), [0, 0, 0, 0]);
    await cli('leases', 'check');
  });

  it('a purge of waiting messages is reported as a loss of their partition, in whichever order partitions are purged', async () => {
    use('C3');
    const first = await join();
    await allCommitted(first);
    await publish(0);
    await publish(1, 5);
    await allCommitted(first);
    await leave(first);
    await publish(1, 20);
    // The stream still begins at the message of p0.
    assert.equal(await deleted('purge', '--partition', '1'), 25);
    assert.equal(await deleted('purge'), 1);
    const second = await join();
    const lost = await losses(second);
    assert.deepEqual([lost[0], lost[2], lost[3]], [0, 0, 0]);
    assert.ok((lost[1] ?? 0) >= 20, `at most ${lost[1]}`);
    await leave(second);
    assert.ok((await deleted('purge')) > 0);
    const third = await join();
    assert.deepEqual(await losses(third), lost);
  });

  it('a purge counts only the messages of the group that has not handled them as lost', async () => {
    use('C4');
    const fast = await join();
    const slow = await join('slow');
    await allCommitted(fast);
    await allCommitted(slow);
    await publish(0);
    await allCommitted(slow);
    await leave(slow);
    await publish(2, 10);
    await allCommitted(fast);
    assert.equal(await deleted('purge'), 11);
    assert.deepEqual(await losses(await handOver(fast)), [0, 0, 0, 0]);
    const [p0, p1, p2 = 0, p3] = await losses(await join('slow'));
    assert.deepEqual([p0, p1, p3], [0, 0, 0]);
    assert.ok(p2 >= 10, `at most ${p2}`);
  });

  it('a purge deletes messages even if the bucket is full, and warns', async () => {
    use('C5');
    const member = await join();
    await allCommitted(member);
    await publish(0, 3);
    await allCommitted(member);
    await leave(member);
    const { streams } = await connection.jetstreamManager();
    const { config, state } = await streams.info('KV_C5_leases');
    await streams.update('KV_C5_leases', { ...config, max_bytes: state.bytes });
    const place = ['--stream', stream, '--server', server.url];
    const { code, stdout, stderr } = await runCli(['stream', 'purge', '--force', '--json', ...place]);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).deleted, 3);
    assert.match(stderr, /^Warning: members may report handled messages as lost: .*cleared\.default\./);
  });
});
