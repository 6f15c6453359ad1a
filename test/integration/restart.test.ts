import assert from 'node:assert/strict';
import { runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

describe('a member that is restarted', function () {
  this.timeout(60_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '4' },
  );
  const natspoc = (...given: string[]) => runCli([...given, ...run.args, '--server', server.url]);
  const owners = async (): Promise<[string | null, number, string][]> =>
    JSON.parse((await natspoc('leases', '--json')).stdout).partitions.map(
      (each: { owner: string | null; epoch: number; state: string }) => [each.owner, each.epoch, each.state],
    );

  it('a restarted member finds its partitions kept for it, and no other partition has moved', async () => {
    const restarting = run.consume('a', ['--rejoin-within', '1h']);
    run.consume('b');
    await run.atRest();
    const before = await owners();
    restarting.signal('SIGTERM');
    assert.equal((await restarting.exited).code, 0);
    assert.match(restarting.stderr.join('\n'), /left p\d p\d, kept for this member for 1h/);
    assert.match((await natspoc('leases')).stdout, /kept for a, (1h|59m \d+s) left/);
    assert.equal((await natspoc('leases', 'check')).code, 0, 'kept partitions are no problem');
    run.consume('a', ['--rejoin-within', '1h']);
    await until('a owns its partitions again', async () =>
      (await owners()).every(([owner], i) => owner === before[i]?.[0]),
    );
    const after = await owners();
    before.forEach(([owner, epoch], i) => {
      if (owner === 'b') assert.equal(after[i]?.[1], epoch, 'no partition of b has moved');
    });
  });

  it('a restarted member can be replaced: a release frees the kept partitions', async () => {
    const restarting = run.consume('a', ['--rejoin-within', '1h']);
    run.consume('b');
    await run.atRest();
    restarting.signal('SIGTERM');
    await restarting.exited;
    const kept = (await owners()).flatMap(([, , state], i) => (state === 'reserved' ? [String(i)] : []));
    assert.equal(kept.length, 2);
    const released = await natspoc('leases', 'release', ...kept);
    assert.equal(released.code, 0, released.stderr);
    assert.ok((await owners()).every(([owner]) => owner === 'b'));
  });
});
