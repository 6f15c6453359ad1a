import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Publisher } from '../../src/core/publisher/publisher.js';
import { ManualClock } from '../support/manual-clock.js';
import { ModelStream } from '../support/model-stream.js';

const PARTITIONS = 3;
const WINDOW = 8;
const TIMEOUT_MS = 1_000;

type Step =
  | { kind: 'send'; count: number }
  | { kind: 'handle'; count: number }
  | { kind: 'answer'; count: number }
  | { kind: 'break'; notice: boolean }
  | { kind: 'restore' }
  | { kind: 'refuse'; retryable: boolean; count: number }
  | { kind: 'lose-answers' }
  | { kind: 'lose-sent'; count: number }
  | { kind: 'wait'; ms: number };

const count = fc.integer({ min: 1, max: 12 });
const traffic: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('send' as const), count }),
  fc.record({ kind: fc.constant('handle' as const), count }),
  fc.record({ kind: fc.constant('answer' as const), count }),
];
const breaks: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('break' as const), notice: fc.boolean() }),
  fc.constant({ kind: 'restore' as const }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 200 }) }),
];
const faults: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('refuse' as const), retryable: fc.boolean(), count }),
  fc.constant({ kind: 'lose-answers' as const }),
  fc.record({ kind: fc.constant('lose-sent' as const), count }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2 * TIMEOUT_MS }) }),
];
const script = (...steps: fc.Arbitrary<Step>[]) => fc.array(fc.oneof(...steps), { maxLength: 60 });

/** Plays a script. Then everything finishes on a working connection. */
function play(steps: readonly Step[], options: { dedupe: boolean; ordered?: boolean }) {
  const clock = new ManualClock();
  const stream = new ModelStream();
  const endings = new Map<string, string[]>();
  const ended = (data: unknown, how: string) => {
    endings.set(String(data), [...(endings.get(String(data)) ?? []), how]);
  };
  const publisher = new Publisher({
    layout: { prefix: 'test', partitions: PARTITIONS },
    openPort: stream.open,
    clock,
    timeoutMs: TIMEOUT_MS,
    maxPendingMessages: WINDOW,
    ...options,
    observer: {
      confirmed: ({ data }) => ended(data, 'confirmed'),
      failed: ({ data }, { outcome }) => ended(data, outcome),
    },
  });
  let sent = 0;
  const perform = (step: Step): void => {
    if (step.kind === 'send') {
      for (let i = 0; i < step.count; i++) publisher.send({ data: String(sent++), key: `k${sent % 7}` });
    } else if (step.kind === 'handle') stream.handle(step.count);
    else if (step.kind === 'answer') stream.answer(step.count);
    else if (step.kind === 'break') stream.break(step.notice);
    else if (step.kind === 'restore') stream.restore();
    else if (step.kind === 'lose-answers') stream.loseAnswers();
    else if (step.kind === 'lose-sent') stream.loseSent(step.count);
    else if (step.kind === 'wait') clock.advance(step.ms);
    else {
      const reason = { code: 1, description: 'no', retryable: step.retryable };
      stream.refuse(...Array.from({ length: step.count }, () => reason));
    }
  };
  for (const step of steps) perform(step);
  stream.restore();
  for (let turn = 0; turn < 1_000 && publisher.pending > 0; turn++) {
    stream.handle();
    stream.answer();
    clock.advance(50);
  }
  return { publisher, stream, endings, sent, clock };
}

/** The numbers in the stream, by subject, in the order in which their first copies were stored. */
function firstCopies({ stored }: ModelStream): Map<string, number[]> {
  const bySubject = new Map<string, Set<number>>();
  for (const { subject, data } of stored) {
    const numbers = bySubject.get(subject) ?? new Set();
    bySubject.set(subject, numbers.add(Number(data)));
  }
  return new Map([...bySubject].map(([subject, numbers]) => [subject, [...numbers]]));
}

function assertInOrder(stream: ModelStream): void {
  for (const [subject, numbers] of firstCopies(stream)) {
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      subject,
    );
  }
}

describe('Publisher, whatever happens to the connection', () => {
  it('a publisher settles each message exactly once, with the correct outcome', () => {
    fc.assert(
      fc.property(script(...traffic, ...breaks, ...faults), fc.boolean(), (steps, dedupe) => {
        const { publisher, stream, endings, sent, clock } = play(steps, { dedupe });
        assert.equal(publisher.pending, 0, 'no message is forgotten');
        assert.equal(endings.size, sent);
        const stored = new Set(stream.stored.map(({ data }) => data));
        for (const [data, how] of endings) {
          assert.equal(how.length, 1, `${data} ended as ${how.join()}`);
          if (how[0] === 'confirmed') assert.ok(stored.has(data), `${data} is confirmed and not stored`);
          if (how[0] === 'rejected') assert.ok(!stored.has(data), `${data} is rejected and stored`);
        }
        const { accepted, confirmed, rejected, unknown, maybeTwice } = publisher.counters;
        assert.equal(accepted, sent);
        assert.equal(confirmed + rejected + unknown, sent);
        const copies = stream.stored.length - stored.size;
        if (dedupe || maybeTwice === 0) assert.equal(copies, 0, 'no unreported copies');
        clock.advance(TIMEOUT_MS);
        assert.equal(clock.timers, 0, 'an idle publisher holds no timer');
      }),
      { numRuns: 500 },
    );
  });

  it('a publisher keeps the order within each partition through any number of breaks', () => {
    fc.assert(
      fc.property(script(...traffic, ...breaks), fc.boolean(), (steps, dedupe) => {
        const { publisher, stream } = play(steps, { dedupe });
        assertInOrder(stream);
        assert.equal(publisher.counters.reordered, 0);
      }),
      { numRuns: 500 },
    );
  });

  it('a publisher with one message per partition in flight keeps the order, whatever the server does', () => {
    fc.assert(
      fc.property(script(...traffic, ...breaks, ...faults), fc.boolean(), (steps, dedupe) => {
        const { publisher, stream, endings, sent } = play(steps, { dedupe, ordered: true });
        assertInOrder(stream);
        assert.equal(publisher.counters.reordered, 0);
        assert.equal(endings.size, sent, 'no message is forgotten');
      }),
      { numRuns: 500 },
    );
  });
});
