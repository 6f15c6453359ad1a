import assert from 'node:assert/strict';
import { handleAfterDeaths } from '../../src/core/member/partition/after-deaths.js';
import { Alone } from '../../src/core/member/partition/alone.js';
import { Caution, CrashedOwners } from '../../src/core/member/partition/caution.js';
import type { Handler } from '../../src/core/member/partition/handler.js';
import { Lead, shortLead } from '../../src/core/member/partition/lead.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { type Taken, takeOver } from '../../src/core/member/partition/takeover.js';
import { carriedOver, crashesAt, needsCaution } from '../../src/core/protocol/crashes.js';
import { FakeBucket, FakeStream, fakeMessage, settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';
import { WorkBench } from '../support/work-bench.js';

describe('the deaths of owners at a position', () => {
  for (const [what, position, died, expected] of [
    ['are not counted after a handover', {}, false, { crashes: 0, suspect: undefined }],
    ['stay counted after a handover', { crashes: 2, suspect: 7 }, false, { crashes: 2, suspect: 7 }],
    ['are counted from the first death on', {}, true, { crashes: 1 }],
    ['are counted while owners are not cautious', { crashes: 1 }, true, { crashes: 2 }],
    [
      'leave out an owner that died before it tried a message',
      { crashes: 2 },
      true,
      { crashes: 2, suspect: undefined },
    ],
    [
      'name the message that a cautious owner tried',
      { crashes: 2, trying: 7 },
      true,
      { crashes: 3, suspect: 7 },
    ],
    [
      'start a new count at another message',
      { crashes: 3, suspect: 7, trying: 8 },
      true,
      { crashes: 2, suspect: 8 },
    ],
    ['count as one if they happened at earlier messages', { trying: 7 }, true, { crashes: 2, suspect: 7 }],
  ] as const) {
    it(`the deaths of owners ${what}`, () => assert.deepEqual(crashesAt(position, died, 3), expected));
  }
});

describe('the deaths of owners before the position', () => {
  const carried = carriedOver({ crashes: 2 }, 96, 3);

  it('deaths before the position keep the next owner cautious, even after a handover', () => {
    const { crashes = 0 } = crashesAt(carried, false, 3);
    assert.ok(needsCaution(crashes, 3));
  });

  it('deaths before the position count as one at the message that kills the next owner', () => {
    assert.deepEqual(crashesAt({ ...carried, trying: 102 }, true, 3), { crashes: 2, suspect: 102 });
  });

  it('a single death before the position makes no owner cautious', () => {
    assert.deepEqual(carriedOver({ crashes: 1 }, 96, 3), { crashes: 1 });
  });
});

/** The work of a partition after deaths of owners. Records what happens. */
function cautious(
  handler: Handler,
  crashes: { crashes: number; suspect?: number },
  { alone = new Alone(), concurrency = 1, committed = Promise.resolve() } = {},
) {
  const bench = new WorkBench(handler, { concurrency });
  const recorded: (number | string)[] = [];
  let record = (): void => {};
  const caution = new Caution(crashes, 3, {
    lead: LEAD,
    alone,
    permit: bench.permit,
    trying: async (sequence) => {
      recorded.push(sequence);
      await new Promise<void>((resolve) => {
        record = resolve;
      });
      return true;
    },
    tried: async () => {
      await committed;
    },
    crashed: (left) => recorded.push(JSON.stringify(left)),
    isCaughtUp: () => false,
  });
  bench.work.beCautious(caution);
  const step = async (): Promise<void> => {
    record();
    await settle();
  };
  return { bench, recorded, step };
}

describe('a takeover', () => {
  for (const [what, writtenAt, crashes] of [
    ['counts a death if an owner that died wrote the position', 5, 1],
    ['counts one death if only the first of two dead owners wrote the position', 3, 1],
    ['counts no death if another owner wrote the position', 4, 0],
    ['does not count a death again if the position was written after the death', 6, 0],
  ] as const) {
    it(`a takeover ${what}`, async () => {
      const clock = new ManualClock();
      const permit = new Permit(clock);
      permit.extendTo(1_000_000);
      const bucket = new FakeBucket();
      bucket.put({ v: 2, seq: 10, epoch: writtenAt, at: '' });
      const ports = { bucket, stream: new FakeStream(), clock, permit, maxCrashes: 3, isWanted: () => true };
      // The owners of the epochs 3 and 5 died. The partition was claimed at 6. It was handed over at 7 without a takeover.
      const takeover = { group: 'g', partition: 0, epoch: 7, died: [3, 5], start: { seq: 0 } };
      let taken: Taken | undefined;
      await takeOver(takeover, ports, (position) => {
        taken = position;
      });
      assert.equal(taken?.crashes.crashes, crashes);
    });
  }
});

const LEAD = shortLead(1);

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a partition whose owners have died', () => {
  it('a cautious owner handles one message at a time, in order, each recorded before it starts', async () => {
    const called: number[] = [];
    const { bench, recorded, step } = cautious(
      ({ sequence }) => called.push(sequence),
      { crashes: 2 },
      { concurrency: 8 },
    );
    bench.keyed([1, 'a'], [2, 'a'], [3, 'b']);
    assert.deepEqual([recorded, called], [[1], []]);
    await step();
    assert.deepEqual([recorded, called, bench.position], [[1, 2], [1], 1]);
    await step();
    await step();
    assert.deepEqual([recorded, called, bench.position], [[1, 2, 3], [1, 2, 3], 3]);
  });

  it('the message at which the owners died fails without a call', async () => {
    const called: number[] = [];
    const { bench, recorded } = cautious(({ sequence }) => called.push(sequence), { crashes: 3, suspect: 1 });
    bench.accept(1);
    await settle();
    assert.deepEqual(called, []);
    assert.deepEqual(recorded, ['{"crashes":2,"suspect":1}']);
    assert.deepEqual(bench.halts, [
      {
        kind: 'halted',
        message: 'message 1 failed: 3 members in a row have died or hung while they handled it',
      },
    ]);
  });

  it('the next message is not blamed if the message at which the owners died is gone', async () => {
    const called: number[] = [];
    const { bench, step } = cautious(({ sequence }) => called.push(sequence), { crashes: 3, suspect: 1 });
    bench.accept(2);
    await step();
    assert.deepEqual(called, [2]);
  });

  it('a cautious partition waits until another cautious partition of its member has handled and committed a message', async () => {
    const alone = new Alone();
    let commit = (): void => {};
    const committed = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const one = cautious(() => {}, { crashes: 2 }, { alone, committed });
    const other = cautious(() => {}, { crashes: 2 }, { alone });
    one.bench.accept(1);
    other.bench.accept(1);
    assert.deepEqual([one.recorded, other.recorded], [[1], []]);
    await one.step();
    assert.deepEqual([one.bench.position, other.recorded], [1, []]);
    commit();
    await settle();
    assert.deepEqual(other.recorded, [1]);
  });

  it('no handler is called for a message that was recorded too late', async () => {
    const called: number[] = [];
    const { bench, recorded, step } = cautious(({ sequence }) => called.push(sequence), { crashes: 2 });
    bench.accept(1);
    bench.permit.extendTo(Number.NEGATIVE_INFINITY);
    await step();
    assert.deepEqual([called, bench.halts], [[], []]);
    bench.permit.extendTo(2_000_000);
    await settle();
    await step();
    assert.deepEqual([recorded, called], [[1, 1], [1]]);
  });

  it('an owner that starts again is cautious again, even after a message that was handled but not committed', () => {
    const permit = new Permit(new ManualClock());
    const committer = {
      ...{ countsDeaths: true, lead: LEAD, committed: 50, whenWritten: () => {}, crashed: () => {} },
      ...{ trying: async () => true, tried: async () => {} },
    };
    for (const [deaths, resumed, expected] of [
      [2, 50, 2],
      [2, 51, 2],
      [1, 51, undefined],
    ] as const) {
      let isCautious = false;
      const work = {
        keepShort: () => {},
        beCautious: () => {
          isCautious = true;
        },
      };
      const found = { crashes: { crashes: deaths, suspect: 51 }, sequence: 50, resumed };
      const ports = { alone: new Alone(), permit, isCaughtUp: () => false };
      assert.equal(handleAfterDeaths(work, committer, found, 3, ports), expected);
      assert.equal(isCautious, expected !== undefined);
    }
  });

  it('a partition records its calls for the length of the short lead, or for 1,000 messages if the previous owner had no short lead', async () => {
    for (const [crashes, most] of [
      [2, LEAD],
      [1, 1_000],
    ] as const) {
      const { bench, recorded, step } = cautious(() => {}, { crashes });
      for (let sequence = 1; sequence <= 1_010; sequence++) bench.work.accept(fakeMessage(sequence));
      for (let turn = 0; turn < most; turn++) await step();
      assert.deepEqual([recorded.length, bench.position], [most, 1_010]);
    }
  });

  it('the error of a message that ended its owners is an InvalidMessage', () => {
    const error = new CrashedOwners(3);
    assert.equal(error.name, 'InvalidMessage');
    assert.equal(error.crashes, 3);
  });

  it('the short lead is 8 messages beyond the position, or the number of messages handled at once if that is larger, up to 32', () => {
    assert.deepEqual([1, 8, 20, 500].map(shortLead), [8, 8, 20, 32]);
  });

  it('a partition stays within a short lead of the position while deaths count', async () => {
    const called: number[] = [];
    let committed = 10;
    let isOver = false;
    const resumed: (() => void)[] = [];
    const bench = new WorkBench(({ sequence }) => called.push(sequence));
    bench.work.keepShort(
      new Lead({
        messages: LEAD,
        committed: () => committed,
        whenWritten: (resume) => resumed.push(resume),
        isOver: () => isOver,
      }),
    );
    bench.accept(...Array.from({ length: LEAD + 22 }, (_, index) => 11 + index));
    await settle();
    assert.equal(called.at(-1), 10 + LEAD);
    committed = 14;
    assert.equal(resumed.length, 1);
    resumed.shift()?.();
    await settle();
    assert.equal(called.at(-1), 14 + LEAD);
    isOver = true;
    committed = 14 + LEAD;
    resumed.shift()?.();
    await settle();
    assert.equal(called.at(-1), 32 + LEAD);
  });

  it('a partition stays close to the position with several handlers, too: a slow message holds back later messages', async () => {
    const called: number[] = [];
    const handler: Handler = ({ sequence }) => {
      called.push(sequence);
      return sequence === 1 ? new Promise<void>(() => {}) : Promise.resolve();
    };
    const bench = new WorkBench(handler, { concurrency: 2 * LEAD });
    bench.work.keepShort(
      new Lead({ messages: LEAD, committed: () => 0, whenWritten: () => {}, isOver: () => false }),
    );
    bench.keyed(...Array.from({ length: 2 * LEAD }, (_, i): [number, string] => [1 + i, `k${i}`]));
    await settle();
    assert.equal(called.at(-1), LEAD);
  });

  it('the messages near the position start first, whichever was ready earlier', async () => {
    const called: number[] = [];
    let committed = 0;
    const resumed: (() => void)[] = [];
    const bench = new WorkBench(async ({ sequence }) => void called.push(sequence), { concurrency: 4 });
    bench.work.keepShort(
      new Lead({
        messages: LEAD,
        committed: () => committed,
        whenWritten: (resume) => resumed.push(resume),
        isOver: () => false,
      }),
    );
    const keys = Array.from({ length: LEAD + 3 }, (_, index) => (index <= LEAD ? 'a' : 'z'));
    bench.keyed(...keys.map((key, index): [number, string] => [1 + index, key]));
    await settle();
    assert.deepEqual(called, numbers(1, LEAD));
    committed = 2;
    resumed.shift()?.();
    await settle();
    assert.deepEqual(called.slice(LEAD), [LEAD + 1, LEAD + 2]);
  });
});
