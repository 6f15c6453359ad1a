import assert from 'node:assert/strict';
import { HandlerTimes } from '../../src/core/member/stats/handler-times.js';
import { RateMeter } from '../../src/core/member/stats/rates.js';

describe('rates', () => {
  const count = (handled: number, epoch = 7) => ({ partition: 3, epoch, handled });

  it('a rate is the messages per second over the last five seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 20; second++) {
      // The rate is low first, then high. The last five seconds contain only the high rate.
      meter.sample(second * 1_000, [count(second < 10 ? second : 10 + (second - 10) * 500)]);
    }
    assert.equal(meter.perSecond(20_000, count(5_010)), 500);
  });

  it('a rate of a new epoch counts from the start of the epoch, not from the previous epoch', () => {
    const meter = new RateMeter();
    meter.sample(0, [count(1_000_000, 7)]);
    assert.equal(meter.perSecond(2_000, count(100, 8)), 50);
  });

  it('a rate is 0 before the first measurement', () => {
    assert.equal(new RateMeter().perSecond(1_000, count(5)), 0);
  });
});

describe('handler times', () => {
  it('handler times include samples of calls that return immediately and of calls that take a while', async () => {
    const times = new HandlerTimes();
    const fast = times.timed(() => {});
    for (let i = 0; i < 64; i++) fast();
    assert.equal(times.stats()?.samples, 4);
    const slow = new HandlerTimes();
    await slow.timed(() => new Promise((resolve) => setTimeout(resolve, 20)))();
    assert.ok((slow.stats()?.meanMs ?? 0) >= 19);
  });

  it('measuring handler times does not change the result of the handler', async () => {
    const times = new HandlerTimes();
    const failing = times.timed(() => Promise.reject(new Error('no')));
    await assert.rejects(async () => failing(), /no/);
    assert.throws(
      () =>
        new HandlerTimes().timed(() => {
          throw new Error('never');
        })(),
      /never/,
    );
  });
});
