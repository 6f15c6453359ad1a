import assert from 'node:assert/strict';
import { AckPolicy, connect, DeliverPolicy, type JetStreamManager, type NatsConnection } from 'nats';
import { type Cli, runCli, startCli, stopAll } from '../support/cli.js';
import { openRawClient } from '../support/raw-client.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const all = '{ publish: ">", subscribe: ">" }';
/** The permissions of a member of group A (docs/permissions.md). It may answer for this group, and NATS tools may list it. */
const ofGroupA = '{ publish: ">", subscribe: ["_INBOX.>", "$SRV.>", "natspoc.*.A.>"] }';

describe('forged messages to a member', function () {
  this.timeout(60_000);
  const server = withServer({
    config: `authorization { users = [
      { user: all, password: all, permissions: ${all} }
      { user: spy, password: spy, permissions: ${ofGroupA} }
    ] }`,
  });
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let env: Record<string, string>;
  let streams = 0;

  before(async () => {
    connection = await connect({ servers: server.url, user: 'all', pass: 'all' });
    manager = await connection.jetstreamManager();
  });
  after(() => connection.close());
  beforeEach(() => {
    const stream = `I${++streams}`;
    env = {
      NATS_URL: server.url,
      NATS_USER: 'all',
      NATS_PASSWORD: 'all',
      STREAM_NAME: stream,
      SUBJECT_PREFIX: `${stream}.e`,
      PARTITIONS: '2',
      CONSUMER_GROUP: 'B',
    };
  });
  afterEach(stopAll);

  async function consume(name: string, partitions = 1): Promise<{ cli: Cli; id: string }> {
    const cli = startCli(['consume', '--name', name, '--output', 'ndjson'], { env });
    const joined = await cli.note(/joined group/);
    await cli.tookOver(partitions);
    return { cli, id: /\((\w+)\)/.exec(joined)?.[1] ?? '' };
  }

  const members = async (): Promise<number> => {
    const { stdout } = await runCli(['leases', '--members', '--json'], { env });
    const { members: listed } = JSON.parse(stdout) as { members: unknown[] };
    return listed.length;
  };

  it('forged messages do not act as requests if a push consumer delivers them', async () => {
    const { cli, id } = await consume('worker', 2);
    const stream = env.STREAM_NAME ?? '';
    const publish = ['publish', '{"partitions":"all"}', '--count', '20', '--keys', '5', '--quiet'];
    assert.equal((await runCli(publish, { env })).code, 0);
    const deliver = (verb: string, more: object) =>
      manager.consumers.add(stream, {
        deliver_subject: `natspoc.${stream}.B.${id}.${verb}`,
        deliver_policy: DeliverPolicy.All,
        ack_policy: AckPolicy.None,
        ...more,
      });
    const beats: string[] = [];
    const watching = connection.subscribe(`natspoc.${stream}.B.${id}.*`, {
      callback: (_error, message) => {
        if (message.headers?.code === 100) beats.push(message.subject);
      },
    });
    const made: string[] = [];
    for (const verb of ['stop', 'release']) made.push((await deliver(verb, { deliver_group: 'q' })).name);
    await deliver('ping', { idle_heartbeat: 200_000_000, flow_control: true });
    await until('all forged messages are delivered, and the server has sent heartbeats', async () => {
      const infos = await Promise.all(made.map((name) => manager.consumers.info(stream, name)));
      return beats.length >= 2 && infos.every(({ delivered }) => delivered.consumer_seq === 20);
    });
    watching.unsubscribe();
    assert.equal(await members(), 1);
    assert.doesNotMatch(cli.stderr.join('\n'), /leaving|paused|released/);
    assert.equal(cli.child.exitCode, null);
    const order = await connection.request(`natspoc.${stream}.B.${id}.stop`, '', { timeout: 5_000 });
    assert.equal(new TextDecoder().decode(order.data), '{"partitions":[0,1]}');
    assert.equal((await cli.exited).code, 0);
  });

  it('answers to forged requests never reach the stream, the bucket or another member', async () => {
    const { cli, id } = await consume('worker', 2);
    const stream = env.STREAM_NAME ?? '';
    const bucket = `KV_${stream}_leases`;
    const places = [
      `${stream}.e.p.0`,
      `$KV.${stream}_leases.group.B.lease.0`,
      `natspoc.${stream}.B.${id}.stop`,
    ];
    for (const reply of places) {
      for (const subject of ['$SRV.PING', `$SRV.INFO.natspoc.${id}`, `natspoc.${stream}.B.${id}.stats`]) {
        connection.publish(subject, '', { reply });
      }
    }
    // Requests are answered in order. This answer shows that all earlier ones were processed.
    await connection.request(`$SRV.PING.natspoc.${id}`, '', { timeout: 5_000 });
    assert.equal((await manager.streams.info(stream)).state.messages, 0);
    const lease = await manager.streams.getMessage(bucket, { last_by_subj: places[1] ?? '' });
    assert.match(lease.string(), /"owner"/);
    cli.signal('SIGTERM');
    assert.equal((await cli.exited).code, 0);
  });

  it('forged answers do not count as answers of members in another group, whether these members are dead or alive', async () => {
    const spy = await openRawClient(server.port, 'spy');
    for (const subject of ['$SRV.>', `natspoc.${env.STREAM_NAME}.B.>`]) {
      spy.subscribe(subject, ({ subject: asked, reply }) => {
        const id = asked.split('.').at(-1);
        if (reply) spy.publish(reply, [], JSON.stringify({ type: 'io.nats.micro.v1.ping_response', id }));
      });
    }
    await spy.flush();
    const { cli: first } = await consume('first', 2);
    const { cli: second } = await consume('second');
    const killedAt = performance.now();
    first.signal('SIGKILL');
    await second.tookOver(2);
    // The probes show the death. The ttl alone would take more than 9 s.
    assert.ok(performance.now() - killedAt < 5_000, `${performance.now() - killedAt} ms`);
    const top = await runCli(['top', '--once', '--json'], { env });
    assert.match(top.stdout, /"name":"second"/);
    spy.close();
  });
});
