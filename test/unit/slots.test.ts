import assert from 'node:assert/strict';
import { RoomQueue, Slots } from '../../src/core/member/partition/slots.js';
import { settle } from '../support/fake-partition.js';
import { WorkBench } from '../support/work-bench.js';

describe('the slots of a member', () => {
  it('partitions whose calls return at once are resumed one after another, not inside each other', () => {
    const queue = new RoomQueue();
    let [resumed, depth, deepest] = [0, 0, 0];
    for (let i = 0; i < 10_000; i++)
      queue.add(() => {
        resumed++;
        deepest = Math.max(deepest, ++depth);
        queue.wake(() => true);
        depth--;
      });
    queue.wake(() => true);
    assert.deepEqual([resumed, deepest], [10_000, 1]);
  });

  it('slots limit the calls of all partitions of a member together, and the partitions take turns', async () => {
    const slots = new Slots(2);
    const ends: (() => void)[] = [];
    const called: string[] = [];
    const partition = (name: string) =>
      new WorkBench(
        ({ sequence }) => {
          called.push(`${name}${sequence}`);
          return new Promise<void>((resolve) => ends.push(resolve));
        },
        { concurrency: 8 },
        { slots },
      );
    const [a, b] = [partition('a'), partition('b')];
    a.keyed([1, 'x'], [2, 'y'], [3, 'z'], [4, 'w']);
    b.keyed([1, 'x'], [2, 'y']);
    assert.deepEqual(called, ['a1', 'a2']);
    for (let i = 0; i < 4; i++) {
      ends.shift()?.();
      await settle();
    }
    assert.deepEqual(called.toSorted(), ['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
    assert.ok(called.indexOf('b1') < called.indexOf('a4'), called.join());
    assert.equal(ends.length, 2);
  });

  it('calls that return at once hold no slot', () => {
    const slots = new Slots(1);
    const bench = new WorkBench(() => {}, {}, { slots });
    bench.accept(1, 2, 3);
    assert.equal(bench.position, 3);
    assert.equal(slots.hasRoom, true);
  });

  it('calls that return at once wait for a slot, too', async () => {
    const slots = new Slots(1);
    let end = (): void => {};
    const running = new Promise<void>((resolve) => {
      end = resolve;
    });
    const one = new WorkBench(() => running, {}, { slots });
    const other = new WorkBench(() => {}, {}, { slots });
    one.accept(1);
    other.accept(1);
    assert.equal(other.position, 0);
    end();
    await settle();
    assert.equal(other.position, 1);
  });
});
