import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { createPublisher, type GroupMember, joinGroup } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const MESSAGES = 600;

/** Epochs are revisions of a bucket, so they repeat in another bucket. */
describe('groups of one name in two buckets of a stream', function () {
  this.timeout(60_000);
  const server = withServer();
  const connections: NatsConnection[] = [];
  let streams = 0;
  let stream: string;

  const connectAnew = async () => {
    const connection = await connect({ servers: server.url });
    connections.push(connection);
    return connection;
  };
  beforeEach(async () => {
    stream = `N${++streams}`;
    const publisher = await createPublisher({ ...(await place()), bucket: `${stream}A` });
    await Promise.all(Array.from({ length: MESSAGES }, () => publisher.publish({ data: 'x' })));
    await publisher.close();
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
  });
  const place = async () => ({
    connection: await connectAnew(),
    stream,
    prefix: `${stream}.e`,
    partitions: 2,
  });
  /** Joins with a member of this bucket, and returns the stream sequences that it handles. */
  const join = async (bucket: string) => {
    const handled: number[] = [];
    const where = await place();
    const handler = async ({ sequence }: { sequence: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      handled.push(sequence);
    };
    const member = await joinGroup({ ...where, bucket, handler });
    return { member, handled, connection: where.connection };
  };
  const isDone = ({ member }: { member: GroupMember }) =>
    member.partitions.length === 2 && member.partitions.every(({ caughtUp }) => caughtUp);
  const all = Array.from({ length: MESSAGES }, (_, i) => i + 1);
  const sorted = (sequences: number[]) => [...sequences].sort((a, b) => a - b);

  it('two groups of the same name, in two buckets, each handle every message once', async () => {
    const groups = await Promise.all([join(`${stream}A`), join(`${stream}B`)]);
    await until('both groups are done', () => groups.every(isDone));
    for (const { member } of groups) await member.leave();
    for (const { handled } of groups) assert.deepEqual(sorted(handled), all);
  });
});
