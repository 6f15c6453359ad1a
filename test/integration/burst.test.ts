import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { loadConfig } from '../../src/core/config/config.js';
import type { MemberEngine } from '../../src/core/member/engine/engine.js';
import { startMember } from '../../src/core/member/join.js';
import { connectNats, type NatsConnection } from '../../src/core/nats/client/connection.js';
import { openTopology } from '../../src/core/nats/stream/topology.js';
import { Ownership } from '../../src/local/demo/ownership.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const MEMBERS = 20;
const PARTITIONS = 64;

describe('a burst of joins', () => {
  const server = withServer();

  it(`a burst of ${MEMBERS} joins ends with an even distribution`, async () => {
    const config = loadConfig({ flags: { server: server.url, partitions: String(PARTITIONS) }, env: {} });
    const connections: NatsConnection[] = [];
    const open = async (): Promise<NatsConnection> => {
      const connection = await connectNats(config, 'test');
      connections.push(connection);
      return connection;
    };
    const { bucket } = await openTopology(await open(), config, { create: true });
    let changes = 0;
    const ownership = new Ownership(bucket, config.group, () => changes++);
    const names = Array.from({ length: MEMBERS }, (_, i) => `m${i}`);
    const members: MemberEngine[] = await Promise.all(
      names.map(async (name) =>
        startMember({
          connection: await open(),
          config,
          name,
          version: '0.1.0',
          handler: () => {},
          stats: () => ({ host: hostname() }),
          events: { report: () => {}, partition: () => ({ handled: () => {}, attemptFailed: () => {} }) },
        }),
      ),
    );
    assert.ok(await ownership.balanced(names, PARTITIONS, 20_000), 'the group comes to rest');
    assert.ok(
      changes < 2 * PARTITIONS,
      `a burst makes about one plan, not one for each member: ${changes} changes`,
    );
    await until(
      'every member runs the partitions that it owns',
      () => members.reduce((sum, m) => sum + m.status.partitions.length, 0) === PARTITIONS,
    );
    await Promise.all(members.map((member) => member.leave()));
    await until('all sessions are gone', () => ownership.members.length === 0);
    ownership.stop();
    await Promise.all(connections.map((connection) => connection.close()));
  });
});
