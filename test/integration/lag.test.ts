import assert from 'node:assert/strict';
import type { GroupRun } from '../support/group-run.js';
import { withOnePartition } from '../support/with-group.js';

describe('the age of waiting messages', function () {
  this.timeout(60_000);
  let run: GroupRun;
  const natspoc = withOnePartition((opened) => {
    run = opened;
  });

  it('the age of the oldest waiting message is shown, and limited by "leases check --max-age"', async () => {
    run.consume('a');
    await run.atRest();
    await natspoc('leases', 'pause', '0');
    const storedAt = Date.now();
    assert.equal((await natspoc('publish', 'event', '--count', '3', '--quiet')).code, 0);
    const { partitions, totals } = JSON.parse((await natspoc('leases', '--json')).stdout);
    const [{ lag, oldestMs, drainMs }] = partitions;
    assert.deepEqual([lag, drainMs, totals.oldestMs], [3, null, oldestMs]);
    // The server's clock is known only to within half a round trip.
    assert.ok(oldestMs > 0 && oldestMs < Date.now() - storedAt + 1_000, String(oldestMs));
    const { code, stdout } = await natspoc('leases', 'check', '--allow-paused', '--max-age', '1ms');
    assert.equal(code, 5);
    assert.match(stdout, /critical {2}p0: a message has waited for [\d.]+ m?s, longer than 1 ms/);
    assert.match(stdout, /lag 3 \(oldest [\d.]+ m?s\)/);
    assert.equal((await natspoc('leases', 'check', '--allow-paused', '--max-age', '1h')).code, 0);
    await natspoc('leases', 'resume', '0');
    await run.handledCount(3);
    const after = JSON.parse((await natspoc('leases', '--json')).stdout);
    assert.deepEqual([after.partitions[0].lag, after.partitions[0].oldestMs], [0, null]);
  });
});
