import assert from 'node:assert/strict';
import { NatspocError } from '../../src/core/lib/errors.js';
import { type GivenUp, GiveUps } from '../../src/core/member/partition/give-ups.js';
import type { Handler } from '../../src/core/member/partition/handler.js';
import { ABORT_GRACE_MS } from '../../src/core/member/partition/handler-timeout.js';
import type { DeadLetters } from '../../src/core/ports/index.js';
import type { DeadLetter } from '../../src/core/protocol/message.js';
import { settle } from '../support/fake-partition.js';
import { ORDER } from '../support/skip-order.js';
import { FAILURE, WorkBench } from '../support/work-bench.js';

const DEAD_LETTER: GivenUp = { ...ORDER, partition: 3, how: 'dead-letter', attempts: 3 };
const REFUSED = new NatspocError('not-permitted', 'not permitted to publish shop.dead.');

/** A bench whose handler fails at message 2 while `state.fails`. Dead letters are answered by `store`. */
function bench(store: DeadLetters['store']) {
  const giveUps = new GiveUps();
  const state = { fails: true };
  const handler: Handler = ({ sequence }) => {
    if (sequence === 2 && state.fails) throw new Error('no connection');
  };
  const failure = { ...FAILURE, maxAttempts: 1_000 };
  const opened = new WorkBench(giveUps.guard(handler), { failure }, { giveUps, deadLetters: { store } });
  return { giveUps, state, opened, work: opened.work };
}

describe('a message that an operator gives up', () => {
  it('a message whose dead letter cannot be stored is tried again, and its hold-up has both errors', async () => {
    const { giveUps, state, opened, work } = bench(async () => ({ kind: 'failed', error: REFUSED }));
    opened.accept(1, 2, 3);
    giveUps.add(2, DEAD_LETTER);
    work.retryNow();
    await settle();
    const reason =
      'could not be stored as a dead letter: not permitted to publish shop.dead; before: no connection';
    const { why, attempt, reason: told } = work.holdUp ?? {};
    assert.deepEqual([why, attempt, told], ['retrying', 3, reason]);
    assert.deepEqual(opened.halts, [], 'the partition does not halt');
    assert.equal(giveUps.of(2), undefined, 'the order is forgotten');
    state.fails = false;
    work.retryNow();
    assert.equal(opened.position, 3, 'the handler is called again');
  });

  it('a halted message whose dead letter cannot be stored halts its partition again, and the order is forgotten', async () => {
    const { giveUps, opened } = bench(async () => ({ kind: 'failed', error: REFUSED }));
    giveUps.add(2, { ...DEAD_LETTER, isHalted: true });
    opened.accept(2);
    await settle();
    assert.match(opened.held?.reason ?? '', /^could not be stored .*; before: no connection$/);
    assert.deepEqual([opened.halts.length, opened.held?.why, opened.held?.attempt], [1, 'halted', 3]);
    assert.equal(giveUps.of(2), undefined);
  });

  it('a dead letter has the number of attempts that its error names', async () => {
    const letters: DeadLetter[] = [];
    const { giveUps, opened } = bench(async (letter) => {
      letters.push(letter);
      return { kind: 'ok', value: undefined };
    });
    giveUps.add(2, DEAD_LETTER);
    opened.accept(2);
    await settle();
    assert.deepEqual(
      letters.map(({ attempts, error }) => [attempts, error]),
      [[3, 'given up by ann@host after attempt 3: no connection']],
    );
  });

  it('an operator can skip a message whose dead letter is not confirmed', async () => {
    const { giveUps, opened, work } = bench(async () => ({ kind: 'unknown' }));
    giveUps.add(2, DEAD_LETTER);
    opened.accept(2, 3);
    await settle();
    assert.equal(work.holdUp?.why, 'storing');
    giveUps.add(2, { ...DEAD_LETTER, how: 'skip' });
    work.retryNow();
    await settle();
    assert.equal(opened.position, 3);
  });

  it('a call that ignores its signal ends after a grace time when its message is given up', async () => {
    const giveUps = new GiveUps();
    let signal: AbortSignal | undefined;
    const handler: Handler = ({ sequence }, context) => {
      if (sequence !== 2) return;
      signal = context.signal;
      return new Promise(() => {});
    };
    const opened = new WorkBench(giveUps.guard(handler), {}, { giveUps });
    opened.accept(2, 3);
    opened.work.failNow(3, new Error('other'));
    assert.equal(signal?.aborted, false, 'only the named message is concerned');
    opened.work.failNow(2, giveUps.add(2, { ...ORDER, partition: 3 }));
    assert.equal(signal?.aborted, true);
    assert.equal(opened.position, 0, 'the next message waits for the call');
    opened.clock.advance(ABORT_GRACE_MS);
    await settle();
    assert.equal(opened.position, 3);
    assert.deepEqual(opened.log, [
      'failed 2 #1 Error: given up by ann@host after attempt 1: no connection skip',
      'handled 2',
      'handled 3',
    ]);
  });

  it('the full stop of an error is left out before more text, but an ellipsis is kept', async () => {
    for (const [error, told] of [
      ['No connection.', 'No connection'],
      ['Please wait...', 'Please wait...'],
    ] as const) {
      const opened = new WorkBench(() => {
        throw new Error(error);
      });
      opened.accept(2);
      assert.deepEqual(opened.halts, [{ kind: 'halted', message: `message 2 failed: ${told}` }]);
      assert.equal(opened.held?.reason, told);
    }
  });
});
