import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SILENT } from '../../src/core/member/partition/logger.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { TimeSlice } from '../../src/core/member/partition/time-slice.js';
import { PartitionWork } from '../../src/core/member/partition/work.js';
import { fakeMessage } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

/** The next step: a message arrives, a running handler succeeds or fails, or time passes. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('arrive' as const), key: fc.integer({ max: 4, min: 0 }) }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('succeed' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('fail' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('answer' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), ms: fc.nat(300) }) },
  ),
  { maxLength: 120 },
);

const microtasks = () => new Promise((resolve) => setImmediate(resolve));

describe('parallel handlers', () => {
  it('parallel handlers keep the order of each key, the limit, and the position before any unhandled message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), steps, async (concurrency, script) => {
        const clock = new ManualClock();
        const permit = new Permit(clock);
        permit.extendTo(Number.POSITIVE_INFINITY);
        const running: { sequence: number; key: string | null; end: (error?: Error) => void }[] = [];
        const keys = new Map<number, string>();
        const done = new Set<number>();
        const lastOf = new Map<string | null, number>();
        let [sequence, position, immediate] = [0, 0, false];
        const work: PartitionWork = new PartitionWork(
          { partition: 0, epoch: 1, logger: SILENT },
          {
            concurrency,
            failure: { maxAttempts: 2, backoff: { baseMs: 50, maxMs: 50 }, onExhausted: 'skip' },
          },
          {
            events: { handled: (message) => done.add(message.sequence), attemptFailed: () => {} },
            permit,
            clock,
            slice: new TimeSlice(clock),
            random: () => 0.5,
            handler: (message) => {
              assert.ok(running.length < concurrency, 'no more calls than the limit');
              assert.ok(
                !running.some(({ key }) => concurrency === 1 || key === message.key),
                'at most one call of a key',
              );
              assert.ok((lastOf.get(message.key) ?? 0) <= message.sequence, 'messages of a key in order');
              assert.ok(!done.has(message.sequence), 'once');
              lastOf.set(message.key, message.sequence);
              if (immediate) return undefined;
              return new Promise<void>((resolve, reject) => {
                const call = {
                  sequence: message.sequence,
                  key: message.key,
                  end: (error?: Error) => {
                    running.splice(running.indexOf(call), 1);
                    if (error) reject(error);
                    else resolve();
                  },
                };
                running.push(call);
              });
            },
          },
          {
            advanced: ({ sequence }, messages) => {
              assert.ok(sequence > position);
              assert.equal(messages, sequence - position, 'sequences are contiguous');
              position = sequence;
            },
            starving: () => {},
            halting: () => assert.fail('skip never halts'),
          },
        );
        const check = () => {
          for (const { sequence: inHand } of running)
            assert.ok(position < inHand, 'position passes no running message');
          for (let s = 1; s <= position; s++) assert.ok(done.has(s) || s === position, 'a contiguous prefix');
        };
        for (const step of script) {
          immediate = step.type === 'answer';
          if (step.type === 'arrive' || step.type === 'answer') {
            const key = step.type === 'arrive' ? `k${step.key}` : 'k0';
            keys.set(++sequence, key);
            work.accept(fakeMessage(sequence, key));
          } else if (step.type === 'wait') clock.advance(step.ms);
          else if (step.type === 'close') {
            permit.extendTo(Number.NEGATIVE_INFINITY);
            clock.advance(step.ms);
            permit.extendTo(Number.POSITIVE_INFINITY);
          } else
            running[step.which % running.length]?.end(step.type === 'fail' ? new Error('no') : undefined);
          await microtasks();
          check();
        }
        // Whatever has happened, the remaining messages can be finished.
        immediate = true;
        for (let rounds = 0; position < sequence && rounds < 1_000; rounds++) {
          running[0]?.end();
          clock.advance(100);
          await microtasks();
        }
        assert.equal(position, sequence);
        assert.equal(done.size, sequence);
        assert.equal(work.waiting, 0);
      }),
      { numRuns: 200 },
    );
  });
});
