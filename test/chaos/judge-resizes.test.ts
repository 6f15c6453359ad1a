import assert from 'node:assert/strict';
import { keys } from '../../src/core/protocol/keys.js';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { versionIn } from '../../src/core/protocol/record-format.js';
import { encodeRecord } from '../../src/core/protocol/records.js';
import { charges } from './charges.js';
import { handledCall } from './handled-call.js';
import { judgeHistory } from './judging/judge.js';
import {
  type BucketChange,
  type Call,
  ERA,
  type FaultSpan,
  type History,
  type Life,
} from './recording/history.js';

const GROUP = 'default';
const MEMBER = 'm1';
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** The layouts in order, each with its number of partitions and the last message that is handled under it. */
const LAYOUTS = [
  { partitions: 2, upTo: 30 },
  { partitions: 3, upTo: 60 },
  { partitions: 2, upTo: 90 },
];
const LAST = 90;
const CALM_AT = 60_000;
/** The interval between messages, and the length of a resize in such intervals. */
const EVERY_MS = 50;
const PAUSE = 10;

const text = (...args: Parameters<typeof encodeRecord>): string =>
  Buffer.from(encodeRecord(...args)).toString();
const keyOf = (seq: number): string => KEYS[seq % KEYS.length] ?? '';
const layoutOf = (seq: number): number => LAYOUTS.findIndex(({ upTo }) => seq <= upTo);
const partitionsOf = (layout: number): number => LAYOUTS[layout]?.partitions ?? 0;
const timeOf = (seq: number): number => 1_000 + (seq + layoutOf(seq) * PAUSE) * EVERY_MS;
/** The time and revision at which a layout begins. Its leases and positions are written later. */
const beginOf = (layout: number): number =>
  layout === 0 ? 10 : timeOf((LAYOUTS[layout - 1]?.upTo ?? 0) + 1) - 5 * EVERY_MS;
const revisionOf = (layout: number): number => 100 * (layout + 1);
const leaseOf = (layout: number, partition: number): number => revisionOf(layout) + 1 + partition;
/** The partition's last message up to `upTo` under this layout. It may have been handled under an earlier layout. */
const lastOf = (layout: number, partition: number, upTo: number): number => {
  for (let seq = upTo; seq > 0; seq--)
    if (partitionOf(keyOf(seq), partitionsOf(layout)) === partition) return seq;
  return 0;
};

function callOf(seq: number, layout = layoutOf(seq), from = timeOf(seq)): Call {
  const partition = partitionOf(keyOf(seq), partitionsOf(layout));
  const epoch = leaseOf(layout, partition);
  return handledCall({ process: MEMBER, partition, epoch, seq, key: keyOf(seq), from });
}

function layoutEntry(layout: number): BucketChange {
  const partitions = partitionsOf(layout - 1);
  const positions = Array.from({ length: partitions }, (_, p) =>
    lastOf(layout - 1, p, LAYOUTS[layout - 1]?.upTo ?? 0),
  );
  const record = {
    v: versionIn(layout),
    ...{ key: 'subject:2', filter: '>', partitions: partitionsOf(layout), hash: 'fnv1a32' as const },
    ...(layout > 0 && { epoch: layout, before: { partitions, positions } }),
  };
  return {
    at: beginOf(layout),
    revision: revisionOf(layout),
    key: keys.groupLayout(GROUP),
    value: text(record),
  };
}

function leaseEntry(layout: number, partition: number): BucketChange {
  const record = {
    ...{ v: versionIn(layout), owner: MEMBER, name: MEMBER, reason: 'claim', from: null, at: '' },
    ...(layout > 0 && { layout }),
  } as const;
  return {
    at: beginOf(layout) + 10,
    revision: leaseOf(layout, partition),
    key: keys.lease(GROUP, partition),
    value: text(record),
  };
}

/** The last position of a partition under a layout, and its closing. */
function endOf(layout: number, partition: number): { position: BucketChange; closing: BucketChange } {
  const { upTo = 0 } = LAYOUTS[layout] ?? {};
  const seq = lastOf(layout, partition, upTo);
  const tags = { ...(layout > 0 && { layout }) };
  const at = timeOf(upTo) + EVERY_MS;
  const position = { v: versionIn(layout), seq, epoch: leaseOf(layout, partition), at: '', ...tags };
  const closed = { order: revisionOf(layout) + 50, seq };
  const lease = {
    ...{ v: versionIn(layout + 1), owner: null, name: '', reason: 'release', from: MEMBER, at: '' },
    ...{ closed, ...tags },
  } as const;
  return {
    position: {
      at,
      revision: revisionOf(layout) + 60 + partition,
      key: keys.position(GROUP, partition),
      value: text(position),
    },
    closing: {
      at: at + 10,
      revision: revisionOf(layout) + 80 + partition,
      key: keys.lease(GROUP, partition),
      value: text(lease),
    },
  };
}

const life = (name: string): Life => ({
  ...{ name, from: 0, killedAt: undefined, leftAt: CALM_AT, stalls: [] },
  exit: { at: CALM_AT + 100, code: 0, signal: null, lastWords: '' },
});

/** A correct run: a group with one member is resized from two partitions to three and back. */
function clean(): History {
  const session = {
    ...{ v: versionIn(0), id: MEMBER, name: MEMBER, host: 'h', pid: 1, version: '1', startedAt: '' },
    ...{ ttlMs: 4_000, suspectMs: 800 },
  };
  const bucket: BucketChange[] = [
    { at: 1, revision: 1, key: keys.session(GROUP, MEMBER), value: text(session) },
  ];
  for (const [layout, { partitions }] of LAYOUTS.entries()) {
    bucket.push(layoutEntry(layout));
    for (let p = 0; p < partitions; p++) {
      bucket.push(leaseEntry(layout, p));
      const { position, closing } = endOf(layout, p);
      bucket.push(position);
      if (layout < LAYOUTS.length - 1) bucket.push(closing);
    }
  }
  const faults = LAYOUTS.slice(1).map(
    ({ partitions }, index): FaultSpan => ({
      ...{ id: index + 1, kind: 'resize', target: `${partitionsOf(index)} to ${partitions}` },
      ...{ from: beginOf(index + 1) - 100, to: beginOf(index + 1) + 20, outcome: '' },
    }),
  );
  const sequences = Array.from({ length: LAST }, (_, index) => index + 1);
  return {
    settings: {
      ...{ startedAt: '2026-11-29T00:00:00Z', startUs: 0, seed: 1, minutes: 1, rate: 20, group: GROUP },
      ...{ keyed: true, partitions: 2, servers: 1, serverVersion: '2.9.10' },
      ...{ ttlMs: 4_000, drainTimeoutMs: 1_500, commitIntervalMs: 200 },
    },
    confirmed: sequences.map((seq) => ({
      number: seq,
      key: keyOf(seq),
      partition: partitionOf(keyOf(seq), 2),
      seq,
    })),
    calls: sequences.map((seq) => callOf(seq)),
    lives: [life(MEMBER)],
    faults,
    bucket,
    calmAt: CALM_AT,
    eras: [],
    looks: [],
    dropped: [],
    toldLost: new Map(),
  };
}

const find = (history: History, seq: number): Call => {
  const found = history.calls.find((call) => call.seq === seq);
  assert.ok(found);
  return found;
};

const without = (history: History, seq: number): void => {
  history.calls = history.calls.filter((call) => call.seq !== seq);
};

describe('the judge of a chaos run with resizes', () => {
  it('the chaos judge finds nothing wrong with a clean run', () => {
    const verdict = judgeHistory(clean());
    assert.deepEqual(verdict.violations, []);
    assert.deepEqual(verdict.partitions, [2, 3, 2]);
    assert.equal(verdict.handled, LAST);
  });

  it('the chaos judge flags a message that was handled before a resize and is handled again after it', () => {
    const forgotten = clean();
    forgotten.calls.push(callOf(30, 1, beginOf(1) + 30));
    assert.deepEqual(charges(forgotten), ['repeat'], 'handled again after the next resize');
    const twoLater = clean();
    twoLater.calls.push(callOf(28, 2, beginOf(2) + 30));
    assert.deepEqual(charges(twoLater), ['repeat'], 'handled again two resizes later');
  });

  it('the chaos judge excuses a message that is handled again after a resize while its old handler ignores its signal', () => {
    const isCharged = (toldAt: number): boolean => {
      const history = clean();
      const begin = beginOf(1);
      Object.assign(find(history, 30), { deaf: true, toldAt, to: begin + 200 });
      // The new call also overlaps the call of another message.
      Object.assign(find(history, 29), { deaf: true, toldAt, to: begin + 190 });
      const again = [callOf(29, 1, begin + 30), callOf(30, 1, begin + 40)];
      history.calls.push(...again.filter(({ partition, seq }) => partition !== find(history, seq).partition));
      assert.ok(history.calls.length > LAST, 'the resize moves a message to another partition');
      return charges(history).includes('repeat');
    };
    assert.equal(isCharged(beginOf(1) - 1), false);
    assert.equal(isCharged(beginOf(1) + 100), true, 'the signal aborted after the message was handled again');
  });

  it('the chaos judge flags a message that was not handled before a resize and is skipped after it', () => {
    const history = clean();
    without(history, 29);
    history.bucket = history.bucket.filter(({ key }) => !key.startsWith(keys.positionPrefix(GROUP)));
    assert.deepEqual(charges(history), ['lost', 'disorder'], 'a partition starts at the highest position');
    const late = clean();
    Object.assign(find(late, 29), callOf(29, 1, timeOf(45)));
    assert.ok(charges(late).includes('disorder'), 'handled after later messages of its key');
  });

  it('the chaos judge flags a position that passes a message that was not handled before a resize', () => {
    const history = clean();
    without(history, 29);
    assert.ok(charges(history).includes('position'));
  });

  it('the chaos judge flags calls of one key under two layouts at the same time, and an owner that continues under the old layout', () => {
    const both = clean();
    find(both, 30).to = timeOf(LAST) + 5;
    assert.ok(charges(both).includes('overlap'));
    const blind = clean();
    Object.assign(find(blind, 45), callOf(45, 0));
    assert.ok(charges(blind).includes('late-start'));
  });

  it('the chaos judge allows calls of different old partitions at the same time', () => {
    const history = clean();
    const [a, b] = [1, 2, 3, 4, 5, 6, 7].map((seq) => find(history, seq)).sort((x, y) => x.epoch - y.epoch);
    const other = history.calls.find(({ partition, seq }) => partition !== a?.partition && seq < 8);
    assert.ok(a && b && other);
    other.from = a.from + 1;
    other.to = a.to + 1;
    for (const charge of ['overlap', 'late-start'] as const)
      assert.ok(!charges(history).includes(charge), charge);
  });

  it('the chaos judge flags a message that is handled in a partition to which its key does not belong', () => {
    const history = clean();
    const call = find(history, 50);
    const partition = (call.partition + 1) % 3;
    Object.assign(call, { partition, epoch: leaseOf(1, partition) });
    assert.ok(charges(history).includes('damaged'));
  });

  it('the chaos judge flags a layout that is written before the last partition is closed', () => {
    const history = clean();
    const { closing } = endOf(0, 1);
    for (const change of history.bucket)
      if (change.revision === closing.revision && change.key === closing.key)
        Object.assign(change, { revision: revisionOf(1) + 0.5, at: beginOf(1) + 1 });
    assert.ok(charges(history).includes('resize'));
  });

  it('the chaos judge flags a layout whose positions differ from the positions at which the partitions were closed', () => {
    const history = clean();
    const { seq } = { seq: lastOf(0, 0, 30) };
    for (const change of history.bucket)
      if (change.revision === revisionOf(1) && change.value)
        change.value = change.value.replace(`"positions":[${seq},`, `"positions":[${seq - 1},`);
    assert.deepEqual(charges(history), ['resize']);
  });

  it('the chaos judge flags a commit under a layout that has been replaced', () => {
    const history = clean();
    const { position } = endOf(0, 0);
    history.bucket.push({ ...position, revision: revisionOf(1) + 70, at: beginOf(1) + 200 });
    assert.deepEqual(charges(history), ['resize']);
  });

  it('the chaos judge flags a resize that never ends', () => {
    const history = clean();
    const order = { partitions: 5, by: 'op', at: '' };
    const { value } = layoutEntry(2);
    history.bucket.push({
      at: timeOf(LAST),
      revision: revisionOf(2) + 90,
      key: keys.groupLayout(GROUP),
      value: text({ ...JSON.parse(value ?? ''), next: order }),
    });
    history.faults.push({
      ...{ id: 9, kind: 'resize', target: '2 to 5', from: timeOf(LAST), to: timeOf(LAST) + 10, outcome: '' },
    });
    assert.deepEqual(charges(history), ['unrest']);
  });

  it('the chaos judge allows calls after a resize has removed a paused partition and its pause', () => {
    const paused = (partition: number): History => {
      const history = clean();
      const rested = { from: timeOf(61) - 100, to: CALM_AT };
      history.faults.push({
        ...{ id: 9, kind: 'pause', target: `${partition}`, from: rested.from - 10, to: rested.to },
        ...{ outcome: 'done', rested },
      });
      return history;
    };
    assert.deepEqual(charges(paused(1)), ['paused']);
    const shrunk = paused(2);
    Object.assign(shrunk.faults.at(-1) ?? {}, { rested: { from: timeOf(60) + 10, to: CALM_AT } });
    assert.deepEqual(charges(shrunk), []);
  });

  it('the chaos judge recognises old entries that appear again because the bucket was restored', () => {
    const history = clean();
    const back = timeOf(LAST) + 1_000;
    history.eras.push(back);
    const left = endOf(1, 2).position;
    history.bucket.push(
      { ...left, revision: left.revision + ERA, at: back + 1 },
      { ...layoutEntry(2), revision: revisionOf(2) + ERA, at: back + 1 },
    );
    assert.deepEqual(charges(history), []);
  });
});
