import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { decodeMemberStats } from '../../src/core/protocol/member-stats.js';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

type Fields = Record<string, unknown>;
const fields = (value: unknown): Fields => {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
  return { ...value };
};

/** The tests send plain requests, as any NATS tool does. The answers must match the schema of ADR-32. */
describe('a member as a micro service', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;

  before(async () => {
    connection = await connectNats(loadConfig({ flags: { server: server.url }, env: {} }), 'test');
  });
  afterEach(stopAll);
  after(() => connection.close());

  async function ask(subject: string, request = ''): Promise<Fields> {
    const answer = await connection.request(subject, request, { timeout: 5_000 });
    return fields(JSON.parse(new TextDecoder().decode(answer.data)));
  }

  async function member(stream: string) {
    const env = { NATS_URL: server.url, STREAM_NAME: stream, SUBJECT_PREFIX: `${stream}.e` };
    const cli = startCli(['consume', '--name', 'worker', '--output', 'none'], { env });
    await cli.tookOver(8);
    return { cli, env };
  }

  it('a member answers PING, INFO and STATS in the standard schema', async () => {
    const { cli, env } = await member('M1');
    const ping = await ask('$SRV.PING.natspoc');
    assert.equal(ping.type, 'io.nats.micro.v1.ping_response');
    assert.equal(ping.name, 'natspoc');
    const id = String(ping.id);
    const info = await ask(`$SRV.INFO.natspoc.${id}`);
    assert.equal(info.type, 'io.nats.micro.v1.info_response');
    const { host, ...metadata } = fields(info.metadata);
    assert.equal(typeof host, 'string');
    assert.deepEqual(metadata, {
      group: 'default',
      stream: 'M1',
      name: 'worker',
      pid: String(cli.pid),
      session: id,
    });
    assert.ok(Array.isArray(info.endpoints));
    assert.deepEqual(
      info.endpoints.map((each: unknown) => [fields(each).name, fields(each).subject]),
      ['release', 'stop', 'retry', 'skip'].map((verb) => [verb, `natspoc.M1.default.${id}.${verb}`]),
    );

    await runCli(['publish', '--count', '200', '--keys', '20', '--quiet'], { env });
    await until('all messages are handled', async () => {
      const stats = await ask(`$SRV.STATS.natspoc.${id}`);
      assert.equal(stats.type, 'io.nats.micro.v1.stats_response');
      assert.equal(typeof stats.started, 'string');
      assert.ok(Array.isArray(stats.endpoints) && stats.endpoints.length === 4);
      for (const endpoint of stats.endpoints.map(fields)) {
        // The published schema requires these fields of each endpoint. `data` is optional, and must be an object.
        const { name, subject, queue_group, num_requests, num_errors, last_error, data } = endpoint;
        assert.equal(subject, `natspoc.M1.default.${id}.${name}`);
        assert.deepEqual([queue_group, num_requests, num_errors, last_error], ['q', 0, 0, '']);
        assert.ok(Number.isInteger(endpoint.processing_time));
        assert.ok(Number.isInteger(endpoint.average_processing_time));
        assert.equal(data !== undefined && fields(data) !== undefined, name === 'release');
      }
      const data = decodeMemberStats(fields(stats.endpoints[0]).data);
      assert.ok(data, 'there is data of natspoc');
      assert.equal(data.session, id);
      assert.equal(data.partitions.length, 8);
      return (
        data.handled === 200 &&
        data.partitions.every(({ lag, ratePerSecond }) => lag === 0 && ratePerSecond !== undefined) &&
        data.handlerTimes?.p50Ms !== undefined &&
        data.retried === 0 &&
        data.inFlight === 0
      );
    });
  });

  it('a member accepts requests on its endpoints, and refuses invalid requests', async () => {
    const { cli } = await member('M2');
    const id = String((await ask('$SRV.PING.natspoc')).id);
    const order = (verb: string, request = '') => ask(`natspoc.M2.default.${id}.${verb}`, request);
    assert.deepEqual(await order('release', '{"partitions":[3,99]}'), { partitions: [3] });
    await cli.tookOver(4);
    const nonsense = await connection.request(`natspoc.M2.default.${id}.release`, '{"partitions":"some"}', {
      timeout: 5_000,
    });
    assert.equal(nonsense.headers?.get('Nats-Service-Error-Code'), '400');
    const { endpoints } = await ask(`$SRV.STATS.natspoc.${id}`);
    assert.ok(Array.isArray(endpoints));
    const { num_requests, num_errors, last_error } = fields(endpoints[0]);
    assert.deepEqual([num_requests, num_errors, last_error], [2, 1, 'not a request to release']);
    assert.ok(Array.isArray((await order('stop')).partitions));
    assert.equal((await cli.exited).code, 0);
  });
});
