import assert from 'node:assert/strict';
import { connect } from 'nats';
import { type CliExit, runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

const SHORT_TTL = ['--ttl', '3s'];
const USED_AGAIN =
  /its position is \d+, but that sequence was used again: the stream was recreated, or restored from an older copy/;

describe('a stream that has reused the sequences of its positions', function () {
  this.timeout(120_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '2' },
  );

  const natspoc = (...args: string[]): Promise<CliExit> =>
    runCli([...args, ...run.args, '--server', server.url]);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await natspoc(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const publish = (text: string, count: number): Promise<string> =>
    ok('publish', `${text} {{Count}}`, '--count', String(count), '--keys', '100', '--quiet');
  const handled = (text: string): number =>
    new Set(run.handled.map(({ data }) => data).filter((data) => data.startsWith(text))).size;
  const allHandled = (text: string, count: number): Promise<void> =>
    until(`${count} of ${text}`, () => handled(text) === count, 30_000);
  /** Creates the stream again with the same configuration, and fills it past all positions. */
  const makeAnew = async (): Promise<void> => {
    const { manager } = run.topology;
    const { config } = await manager.streams.info(run.config.stream);
    await manager.streams.delete(run.config.stream);
    await manager.streams.add(config);
    await publish('new', 300);
  };
  const messages = async (): Promise<number> =>
    (await run.topology.manager.streams.info(run.config.stream)).state.messages;

  /** Asserts that every command reports the fault. Until a seek ends it, nothing may be deleted or handled. */
  async function isSeenAndCured(text: string, count: number, first = 'first'): Promise<void> {
    const check = await natspoc('leases', 'check', '--json');
    assert.equal(check.code, 5, check.stdout);
    assert.equal((check.stdout.match(/"other-stream"/g) ?? []).length, 2, check.stdout);
    const { groups } = JSON.parse(await ok('stream', '--json'));
    assert.deepEqual([groups[0].lag, groups[0].wrongPositions], [null, 2]);
    const before = await messages();
    await natspoc('stream', 'trim', '--force');
    assert.equal(await messages(), before);
    const relative = await natspoc('leases', 'seek', '--all', '--to', '-1', '--force');
    assert.match(relative.stderr, /is of another stream: this stream was created again/);
    assert.equal(handled(text), 0);
    await ok('leases', 'seek', '--all', '--to', first, '--force');
    if (run.members.size === 0) run.consume('after', SHORT_TTL);
    await allHandled(text, count);
    await until('the group is healthy', async () => (await natspoc('leases', 'check')).code === 0, 20_000);
  }

  it('members whose stream is created again while they run read nothing until a seek', async () => {
    for (const name of ['a', 'b']) run.consume(name, SHORT_TTL);
    await run.atRest();
    await publish('old', 100);
    await allHandled('old', 100);
    // The members are stopped, because without the stream they would end.
    for (const cli of run.members.values()) cli.signal('SIGSTOP');
    await makeAnew();
    for (const cli of run.members.values()) cli.signal('SIGCONT');
    for (const cli of run.members.values()) await cli.note(USED_AGAIN, 30_000);
    await isSeenAndCured('new', 300);
  });

  it('a stream that is created again while no member runs is not read until a seek', async () => {
    await publish('old', 100);
    await ok('consume', '--until-caught-up', '--output', 'none');
    await makeAnew();
    run.consume('a', SHORT_TTL);
    await (run.members.get('a') ?? assert.fail()).note(USED_AGAIN, 30_000);
    await isSeenAndCured('new', 300);
  });

  it('a stream that is restored from an older copy and has grown is not read until a seek', async () => {
    await publish('old', 100);
    const copy = await server.copyStore(run.config.stream);
    await publish('late', 100);
    await ok('consume', '--until-caught-up', '--output', 'none');
    await server.putBack(copy);
    await publish('new', 300);
    run.consume('a', SHORT_TTL);
    await (run.members.get('a') ?? assert.fail()).note(USED_AGAIN, 30_000);
    await isSeenAndCured('new', 300, 'seq:101');
  });

  it('a stream whose handled messages were trimmed counts as the same stream', async () => {
    await publish('old', 100);
    await ok('consume', '--until-caught-up', '--output', 'none');
    await ok('stream', 'trim', '--force');
    assert.equal(await messages(), 0);
    await publish('new', 50);
    run.consume('a', SHORT_TTL);
    await allHandled('new', 50);
    const { stdout } = await natspoc('leases', 'check', '--json');
    assert.doesNotMatch(stdout, /other-stream/);
  });

  it('a stream whose settings were changed between two restarts of its server counts as the same stream', async () => {
    await publish('old', 100);
    await ok('consume', '--until-caught-up', '--output', 'none');
    await publish('more', 1);
    await server.restart();
    const connection = await connect({ servers: server.url });
    const manager = await connection.jetstreamManager();
    await manager.streams.update(run.config.stream, { max_age: 3_600_000_000_000 });
    // The messages at the positions are gone, so only the creation time identifies the stream.
    await manager.streams.purge(run.config.stream, { seq: 101 });
    await connection.close();
    await server.kill();
    await server.restart();
    run.consume('a', SHORT_TTL);
    await allHandled('more', 1);
    const { stdout } = await natspoc('leases', 'check', '--json');
    assert.doesNotMatch(stdout, /other-stream/);
  });

  it('no loss is reported if an operator trimmed handled messages', async () => {
    await publish('old', 100);
    await ok('consume', '--until-caught-up', '--output', 'none');
    await ok('stream', 'trim', '--force');
    await publish('new', 1);
    // The second trim deletes the new message. Partitions without a new message keep their positions, which are before it.
    await ok('consume', '--until-caught-up', '--output', 'none');
    await ok('stream', 'trim', '--force');
    run.consume('a', SHORT_TTL);
    await run.atRest();
    await publish('later', 20);
    await allHandled('later', 20);
    const { stdout } = await natspoc('leases', '--json');
    const { partitions } = JSON.parse(stdout) as { partitions: { trimmed: number }[] };
    assert.deepEqual(new Set(partitions.map(({ trimmed }) => trimmed)), new Set([0]));
    assert.equal((await natspoc('leases', 'check')).code, 0);
  });
});
