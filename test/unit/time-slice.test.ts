import assert from 'node:assert/strict';
import type { Clock } from '../../src/core/lib/clock.js';
import { TimeSlice } from '../../src/core/member/partition/time-slice.js';

const STEP_MS = 5;

/** An event loop on which several partitions compute without end. Each step takes time. Timers fire between steps. */
class BusyLoop implements Clock {
  readonly turn = new TimeSlice(this);
  readonly steps = new Map<string, number>();
  /** How often each partition was called in the current turn. */
  calls = 0;
  #nowMs = 0;
  #timers: (() => void)[] = [];
  #works: (() => void)[] = [];

  constructor(names: string[]) {
    this.#works = names.map((name) => {
      const work = (): void => {
        this.calls++;
        while (this.turn.has(this.#nowMs, work)) {
          this.steps.set(name, (this.steps.get(name) ?? 0) + 1);
          this.#nowMs += STEP_MS;
        }
        this.turn.whenNext(work);
      };
      return work;
    });
  }

  now(): number {
    return this.#nowMs;
  }

  at(_atMs: number, callback: () => void) {
    this.#timers.push(callback);
    return () => {};
  }

  /** Messages arrive for each partition. Each asks for a time slice. Then the timers fire. */
  go(): void {
    for (const work of this.#works) work();
    this.calls = 0;
    for (const timer of this.#timers.splice(0)) timer();
  }
}

describe('time slices of the event loop', () => {
  it('time slices go to each computing partition in turn', () => {
    const loop = new BusyLoop(['p0', 'p1', 'p2']);
    for (let i = 0; i < 30; i++) loop.go();
    const steps = [...loop.steps.values()];
    assert.equal(steps.length, 3);
    const oneTurn = 100 / STEP_MS;
    assert.ok(Math.max(...steps) - Math.min(...steps) <= oneTurn, steps.join(' '));
  });

  it('time slices go first to partitions that asked while another partition had the slice', () => {
    // All partitions ask at once, as when the permit opens.
    const loop = new BusyLoop(['p0', 'p1']);
    loop.go();
    assert.deepEqual([...loop.steps.keys()], ['p0', 'p1']);
  });

  it('time slices are granted once, even if requested repeatedly', () => {
    const loop = new BusyLoop(['p0', 'p1', 'p2']);
    for (let i = 0; i < 30; i++) {
      loop.go();
      assert.ok(loop.calls <= 3, `${loop.calls} calls in one turn`);
    }
  });
});
