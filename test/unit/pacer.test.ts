import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Pacer } from '../../src/cli/publish/pacer.js';

/** At every wake-up, sends as long as the pacer allows. Returns when each message was sent, and when it was due. */
function simulate(pacer: Pacer, wakeUps: readonly number[]): { atMs: number; dueMs: number }[] {
  const sent: { atMs: number; dueMs: number }[] = [];
  for (const atMs of wakeUps) {
    for (let dueMs = pacer.take(atMs); dueMs !== undefined; dueMs = pacer.take(atMs))
      sent.push({ atMs, dueMs });
  }
  return sent;
}

const everyMs = (untilMs: number, fromMs = 0) =>
  Array.from({ length: Math.ceil(untilMs - fromMs) }, (_, index) => fromMs + index);

describe('Pacer', () => {
  it('the pacer keeps fractional, slow and fast rates without drift', () => {
    for (const rate of [0.5, 3.7, 10, 1_000, 20_000, 100_000]) {
      const sent = simulate(new Pacer(rate, 0), everyMs(20_000));
      assert.ok(Math.abs(sent.length - rate * 20) <= Math.max(1, rate / 500), `${rate}/s: ${sent.length}`);
    }
  });

  it('the pacer spreads messages evenly over every 100 ms', () => {
    const windows = new Array<number>(100).fill(0);
    for (const { atMs } of simulate(new Pacer(1_000, 0), everyMs(10_000))) {
      windows[Math.floor(atMs / 100)] = (windows[Math.floor(atMs / 100)] ?? 0) + 1;
    }
    for (const count of windows) assert.ok(count >= 90 && count <= 110, String(count));
  });

  it('the pacer never sends before the due time, whenever it is woken', () => {
    const gaps = fc.array(fc.double({ min: 0.01, max: 400, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 50_000, noNaN: true }), gaps, (rate, steps) => {
        let nowMs = 0;
        const wakeUps = steps.map((step) => {
          nowMs += step;
          return nowMs;
        });
        for (const { atMs, dueMs } of simulate(new Pacer(rate, 0), wakeUps)) assert.ok(dueMs <= atMs);
      }),
    );
  });

  it('the pacer catches up after a stall at no more than twice the rate, and drops nothing after a short stall', () => {
    const pacer = new Pacer(1_000, 0);
    const sent = simulate(pacer, [...everyMs(1_000), ...everyMs(4_000, 1_500)]);
    assert.equal(pacer.missedMs, 0);
    assert.ok(Math.abs(sent.length - 4_000) <= 2, String(sent.length));
    for (let fromMs = 1_500; fromMs < 3_900; fromMs += 100) {
      const inWindow = sent.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 100).length;
      assert.ok(inWindow <= 2 * 100 + 20, `${inWindow} from ${fromMs}`);
    }
  });

  it('the pacer drops messages that are more than a second overdue, and reports them', () => {
    const pacer = new Pacer(100, 0);
    const before = simulate(pacer, everyMs(1_000)).length;
    const after = simulate(pacer, everyMs(10_000, 6_000)).length;
    assert.ok(Math.abs(pacer.missedMs - 4_000) < 20, String(pacer.missedMs));
    assert.ok(Math.abs(before + after - 600) <= 2, String(before + after));
  });

  it('the pacer measures lateness from the schedule', () => {
    const pacer = new Pacer(10, 0);
    simulate(pacer, [0]);
    assert.equal(pacer.take(99), undefined);
    assert.equal(pacer.nextMs(), 100);
    assert.equal(pacer.take(350), 100);
  });
});
