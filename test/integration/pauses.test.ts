import assert from 'node:assert/strict';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withOnePartition } from '../support/with-group.js';

describe('a pause', function () {
  this.timeout(60_000);
  let run: GroupRun;
  const natspoc = withOnePartition((opened) => {
    run = opened;
  });

  it('a pause is shown with its operator, its duration and the waiting messages, and fails the check unless pauses are allowed', async () => {
    const member = run.consume('a', ['--health-port', '0']);
    const [, url = ''] = /metrics at (\S+)/.exec(await member.note(/metrics at/)) ?? [];
    await run.atRest();
    assert.equal((await natspoc('leases', 'pause', '0')).code, 0);
    assert.equal((await natspoc('publish', 'event', '--count', '5', '--quiet')).code, 0);
    const told = /p0 is paused by \S+@\S+ for [\d.]+ m?s, 5 messages wait; "leases resume 0" continues it/;
    await until('the check reports the pause', async () => {
      const { code, stdout } = await natspoc('leases', 'check');
      return code === 5 && /warning/.test(stdout) && told.test(stdout);
    });
    const allowed = await natspoc('leases', 'check', '--allow-paused');
    assert.equal(allowed.code, 0, allowed.stdout);
    const table = (await natspoc('leases')).stdout;
    assert.match(table, /paused\n {4}paused by \S+ for [\d.]+ m?s, 5 messages wait\n/);
    const partition = async () => JSON.parse((await natspoc('leases', '--json')).stdout).partitions[0];
    const before = await partition();
    assert.match(before.pausedBy, /@/);
    await natspoc('leases', 'pin', '0', '--to', 'a');
    assert.ok((await partition()).pausedMs > before.pausedMs, 'a pin does not restart the time');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /natspoc_partition_paused_timestamp_seconds\{[^}]*by="[^"]+@/);
    await natspoc('leases', 'resume', '0');
    await until('the check succeeds', async () => (await natspoc('leases', 'check')).code === 0);
    assert.deepEqual([(await partition()).pausedBy, (await partition()).pausedMs], [null, null]);
  });
});
