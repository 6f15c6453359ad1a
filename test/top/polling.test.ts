import assert from 'node:assert/strict';
import type { GroupObserver } from '../../src/core/ports/observer.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import { Polling } from '../../src/top/sources/polling.js';
import { group, play, session, streamFacts } from './support.js';

const WAITING = { count: 0, storedAtMs: null };

/** An observer of a server that answers everything but the question for the last job. */
const observer: GroupObserver = {
  watch: () => ({ stop: () => {} }),
  history: async () => [],
  leaseHistory: async () => [],
  entries: async () => [],
  proofs: async () => [],
  job: () => Promise.reject(new Error('no answer')),
  start: async () => null,
  positions: async () => [],
  stream: async () => streamFacts(2),
  deadLetters: async () => ({ stream: 'D', messages: 0, bytes: 0, lastSequence: 0, last: null }),
  readers: async () => [],
  storedTime: async () => undefined,
  ends: async () => [],
  waiting: async (partition, after) => ({ partition, after, ...WAITING }),
  sequences: async () => [],
  storedAt: async () => null,
  messages: async () => [],
  stats: async () => ({ members: [], gone: [], denied: false }),
};

describe('the polling of top', () => {
  it('a failure to read the last job of a group without members is forgotten when a member joins', async () => {
    let model = play(group(0, 2));
    const emit = (event: TopEventBody): void => {
      model = play([[1, event]], model);
    };
    const polling = new Polling(observer, {
      connection: { rtt: async () => 1 },
      emit,
      model: () => model,
      attempt: async (what, ask) => {
        try {
          await ask();
          emit({ type: 'problem', what, message: null });
        } catch (error) {
          emit({ type: 'problem', what, message: String(error) });
        }
      },
    });
    await polling.round();
    assert.deepEqual([...model.problems], [['job', 'Error: no answer']]);
    emit({ type: 'changes', entries: [session('a', 900)] });
    await polling.round();
    assert.deepEqual([...model.problems], []);
  });
});
