import assert from 'node:assert/strict';
import { putBackPositions } from '../../src/core/member/engine/put-back.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { type Taken, takeOver } from '../../src/core/member/partition/takeover.js';
import { FakeBucket, FakeStream } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

describe('the positions that a member writes back after the bucket lost data', () => {
  for (const [what, found, expected] of [
    ['is written if there is none', undefined, { seq: 40, epoch: 0 }],
    [
      'replaces a lower position that another member has written back',
      { seq: 30, epoch: 0 },
      { seq: 40, epoch: 0 },
    ],
    [
      'does not replace a higher position that another member has written back',
      { seq: 50, epoch: 0 },
      { seq: 50, epoch: 0 },
    ],
    ['does not replace the position of an owner', { seq: 30, epoch: 7 }, { seq: 30, epoch: 7 }],
    [
      'does not replace a position that an operator has chosen',
      { seq: 30, epoch: 0, layout: 1, sought: true },
      { seq: 30, epoch: 0 },
    ],
    [
      'does not replace the position of another layout',
      { seq: 30, epoch: 0, layout: 2 },
      { seq: 30, epoch: 0 },
    ],
  ] as const) {
    it(`a position that is written back ${what}`, async () => {
      const bucket = new FakeBucket();
      if (found) bucket.put({ v: 2, at: '', ...found });
      const layout = found && 'sought' in found ? 1 : 0;
      await putBackPositions(layout, [{ partition: 0, sequence: 40 }], {
        group: 'g',
        bucket,
        clock: new ManualClock(),
        retryMs: 10,
        isOver: () => false,
        fail: assert.fail,
      });
      const { seq, epoch } = bucket.record ?? {};
      assert.deepEqual({ seq, epoch }, expected);
    });
  }
});

describe('a takeover of a partition that this member has owned before', () => {
  /** The sequence after which the member continues if the bucket has this position. The member has committed up to 40. */
  const continuesAfter = async (found?: { seq: number; epoch: number }): Promise<number | undefined> => {
    const clock = new ManualClock();
    const permit = new Permit(clock);
    permit.extendTo(1_000_000);
    const bucket = new FakeBucket();
    if (found) bucket.put({ v: 2, at: '', ...found });
    const position = await bucket.read('position');
    // The second read returns the lease. It shows that there is no newer lease.
    bucket.reads.push(position, { kind: 'found', entry: { key: 'lease', revision: 7, value: null } });
    const ports = { bucket, stream: new FakeStream(), clock, permit, maxCrashes: 3, isWanted: () => true };
    const takeover = { group: 'g', partition: 0, epoch: 7, start: { seq: 0 }, known: { sequence: 40 } };
    let taken: Taken | undefined;
    await takeOver(takeover, ports, (held) => {
      taken = held;
    });
    return taken?.sequence;
  };

  it('a takeover continues after the last commit if the bucket lost the position', async () => {
    assert.equal(await continuesAfter(), 40);
  });

  it('a takeover continues after the last commit if another member wrote back a lower position', async () => {
    assert.equal(await continuesAfter({ seq: 30, epoch: 0 }), 40);
  });

  it('a takeover continues at the position of a later owner', async () => {
    assert.equal(await continuesAfter({ seq: 30, epoch: 6 }), 30);
  });
});
