import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { type GroupAdmin, joinGroup, openStream, type StreamAdmin } from '../../src/core/index.js';
import { withServer } from '../support/server.js';

/** Any method, called with arguments as a JavaScript program may pass them. */
const call = async (of: object, method: string, ...given: unknown[]): Promise<unknown> => {
  const found: unknown = Reflect.get(of, method);
  assert.ok(typeof found === 'function', method);
  const result: unknown = await Reflect.apply(found, of, given);
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result;
  const all: unknown[] = [];
  for await (const each of result as AsyncIterable<unknown>) all.push(each);
  return all;
};

describe('the arguments of the administration', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let stream: StreamAdmin;
  let group: GroupAdmin;
  let stored: number;

  const messages = async (): Promise<number> => {
    const manager = await connection.jetstreamManager();
    const [events, bucket] = await Promise.all([
      manager.streams.info('S'),
      manager.streams.info('KV_S_leases'),
    ]);
    return events.state.messages + bucket.state.last_seq;
  };

  before(async () => {
    connection = await connect({ servers: server.url });
    const place = { connection, stream: 'S', prefix: 's', partitions: 2, logger: false as const };
    const member = await joinGroup({ ...place, handler: () => {} });
    await connection.jetstream().publish('s.p.0', 'x');
    for (const [method, partition] of [
      ['release', 'p1'],
      ['release', -1],
      ['resume', 1.5],
      ['pause', 70_000],
    ] as const)
      await assert.rejects(call(member, method, partition), {
        code: 'usage',
        message: /to (release|resume|pause)/,
      });
    await member.leave();
    stream = await openStream({ connection, stream: 'S' });
    group = stream.group();
    stored = await messages();
  });

  after(async () => {
    await stream.close();
    await connection.close();
  });

  const NO_PARTITION = /^There is no partition .*: the partitions are 0 to 1\.$/;
  const NO_LIST = /^partitions: .* is not a list, such as \[0, 3\]\.$/;
  const NO_SEQUENCE = /^sequence: .* is not a sequence, which is a whole number from 1\.$/;

  for (const [method, given, message] of [
    ['message', [-1], NO_SEQUENCE],
    ['message', ['1'], NO_SEQUENCE],
    ['tail', [99, { follow: false }], NO_PARTITION],
    ['tail', ['0', { follow: false }], NO_PARTITION],
    ['tail', [0, { folow: false }], /^tail has no option "folow"\. Did you mean follow\?$/],
    ['tail', [0, { startSequence: '1', follow: false }], /^startSequence: "1" is not a whole number/],
    ['purge', [99, null], NO_PARTITION],
    ['purge', [undefined, null], NO_PARTITION],
    ['purge', [0, undefined], /^upTo: undefined is not a sequence from 0, or null for the end of the stream/],
    ['purge', [0, '1'], /^upTo: "1" is not a sequence from 0/],
    ['planTrim', ['default'], /^groups: "default" is not a list of names\.$/],
    ['planTrim', [['a b']], /^groups: "a b" is not the name of a group/],
    ['trim', [[], undefined], /^groups: undefined is not a list/],
    ['group', ['a b'], /^group: "a b" is not the name of a group: 1 to 64 letters/],
    ['group', ['*'], /^group: "\*" is not/],
    ['redrive', [{ grp: 'x', count: 1 }], /^redrive has no option "grp"\. Did you mean group\?$/],
    ['redrive', [{ count: 0 }], /^count: 0 is not a whole number from 1\.$/],
    ['redrive', [{ count: Number.NaN }], /^count: NaN is not/],
    ['redrive', [{ group: null }], /^group: null is not/],
    ['redrive', [{ onRedriven: 1 }], /^onRedriven: 1 is not a function/],
    ['redrive', ['default'], /^redrive takes an object of options, not "default"/],
  ] as const)
    it(`stream.${method} refuses ${JSON.stringify(given)} with ${message.source}`, async () => {
      await assert.rejects(call(stream, method, ...given), { code: 'usage', message });
      assert.equal(await messages(), stored);
    });

  for (const [method, given, message] of [
    ['history', ['p0'], /^There is no partition "p0": the partitions are numbered from 0\.$/],
    ['pin', [[99], 'x'], NO_PARTITION],
    ['pin', [0, 'x'], NO_LIST],
    ['pin', [[0], undefined], /^to: undefined is not the name or session id of a member, or null\.$/],
    ['planSeek', [0, { kind: 'first' }], NO_LIST],
    ['planSeek', [[99], { kind: 'first' }], NO_PARTITION],
    ['seek', [0, { kind: 'first' }], NO_LIST],
    ['check', [{}, { maxLagg: 5 }], /^check has no option "maxLagg"\. Did you mean maxLag\?$/],
    ['pause', [[0], true], /^follower: \[0\] is not a follower of the group/],
    ['resize', [4], /^follower: 4 is not a follower/],
  ] as const)
    it(`group.${method} refuses ${JSON.stringify(given)} with ${message.source}`, async () => {
      await assert.rejects(call(group, method, ...given), { code: 'usage', message });
      assert.equal(await messages(), stored);
    });

  for (const [method, given, message] of [
    ['pause', [[99], true], NO_PARTITION],
    ['pause', [[0]], /^paused: undefined is not true or false\.$/],
    ['release', [[99]], NO_PARTITION],
    ['release', [[0], { forced: true }], /^release has no option "forced"\. Did you mean force\?$/],
    ['release', [[0], { to: 5 }], /^to: 5 is not the name or session id/],
    ['retry', ['all'], NO_LIST],
    ['skip', [{ partition: 99, sequence: 1, deadLetter: false }], NO_PARTITION],
    ['skip', [{ partition: 0, sequence: '1', deadLetter: false }], NO_SEQUENCE],
    ['skip', [undefined], NO_PARTITION],
  ] as const)
    it(`group.${method} with a follower refuses ${JSON.stringify(given)} with ${message.source}`, async () => {
      const refused = group.following((follower) => call(group, method, follower, ...given));
      await assert.rejects(refused, { code: 'usage', message });
      assert.equal(await messages(), stored);
    });
});
