import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { onAbort } from '../../src/core/lib/on-abort.js';
import { leaveOnAbort } from '../../src/core/member/leave-on-abort.js';

const count = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  it('all listeners of a signal share one event listener, which is removed with the last of them', () => {
    const stop = new AbortController();
    const called: string[] = [];
    const forget = ['a', 'b', 'c'].map((name) => onAbort(stop.signal, () => called.push(name)));
    assert.equal(count(stop.signal), 1);
    for (const each of forget) each();
    assert.equal(count(stop.signal), 0);
    forget[0]?.();
    onAbort(stop.signal, () => called.push('d'));
    onAbort(stop.signal, () => called.push('e'))();
    stop.abort();
    assert.deepEqual(called, ['d']);
  });

  it('many members leave at one signal, and share one event listener', async () => {
    const stop = new AbortController();
    let left = 0;
    const never = new Promise<void>(() => {});
    for (let i = 0; i < 20; i++) leaveOnAbort({ leave: async () => void left++, closed: never }, stop.signal);
    leaveOnAbort({ leave: async () => {}, closed: Promise.resolve() }, stop.signal);
    await Promise.resolve();
    assert.equal(count(stop.signal), 1);
    stop.abort();
    assert.equal(left, 20);
    leaveOnAbort({ leave: async () => void left++, closed: never }, stop.signal);
    assert.equal(left, 21, 'the signal had aborted before');
  });
});
