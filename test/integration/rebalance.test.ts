import assert from 'node:assert/strict';
import { startCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { withGroup } from '../support/with-group.js';

const RATE = 400;

describe('a group of members', () => {
  let run: GroupRun;
  const server = withGroup((opened) => {
    run = opened;
  });

  const loads = (): number[] => {
    const counts = new Map([...run.members.keys()].map((name) => [name, 0]));
    for (const { name } of run.ownership.owners.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts.values()].sort();
  };
  const moved = (before: ReadonlyMap<number, { session: string }>): number[] =>
    [...run.ownership.owners]
      .filter(([p, owner]) => before.get(p)?.session !== owner.session)
      .map(([p]) => p);

  it('a joining member gets its share with the fewest moves, and nothing is lost or repeated', async () => {
    for (const name of ['a', 'b']) run.consume(name);
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(100);
    const before = run.ownership.owners;
    run.consume('c');
    await run.atRest();
    assert.deepEqual(loads(), [2, 3, 3]);
    assert.equal(moved(before).length, 2, 'the third member takes two of eight partitions');
    await run.handledCount(run.handled.length + 100);
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, duplicated: 0, outOfOrder: 0, foreign: 0 });
  });

  it('a member hands everything over at SIGTERM, repeats nothing, and exits with 0', async () => {
    for (const name of ['a', 'b', 'c']) run.consume(name);
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(100);
    const before = run.ownership.owners;
    const own = [...before].filter(([, owner]) => owner.name === 'b').map(([p]) => p);
    const leaver = run.forget('b');
    leaver.signal('SIGTERM');
    const exit = await leaver.exited;
    assert.equal(exit.code, 0, exit.stderr);
    await run.atRest();
    assert.deepEqual(moved(before).sort(), own.sort(), 'only its partitions move');
    await run.handledCount(run.handled.length + 100);
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, duplicated: 0, outOfOrder: 0, foreign: 0 });
  });

  it('the other members take over from a killed member, and nothing is lost', async () => {
    for (const name of ['a', 'b', 'c']) run.consume(name);
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(200);
    const before = run.ownership.owners;
    const own = [...before].filter(([, owner]) => owner.name === 'b').map(([p]) => p);
    run.forget('b').signal('SIGKILL');
    await run.atRest();
    assert.deepEqual(moved(before).sort(), own.sort(), 'only its partitions move');
    await run.handledCount(run.handled.length + 200);
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, outOfOrder: 0, foreign: 0 });
  });

  it('a group continues after the last committed position when all members restart', async () => {
    run.consume('a');
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(200);
    const first = run.forget('a');
    first.signal('SIGTERM');
    await first.exited;
    run.consume('b');
    await run.atRest();
    const verdict = await run.finish();
    assert.deepEqual(verdict, { ...verdict, lost: 0, duplicated: 0, outOfOrder: 0, foreign: 0 });
  });

  it('two groups are independent, and each receives every message', async () => {
    run.consume('a');
    await run.atRest();
    run.publish(RATE);
    await run.handledCount(100);
    const verdict = await run.finish();
    assert.equal(verdict.lost, 0);
    const other = await startCli([
      'consume',
      ...['--server', server.url, '--stream', run.config.stream, '--group', 'audit'],
      ...['--output', 'ndjson', '--count', String(verdict.published)],
    ]).exited;
    assert.equal(other.code, 0, other.stderr);
    assert.equal(other.stdout.split('\n').length, verdict.published);
  });
});
