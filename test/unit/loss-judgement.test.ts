import assert from 'node:assert/strict';
import { judgeLoss, type LossFacts } from '../../src/core/member/partition/loss-judgement.js';
import { NO_SIGNS } from '../../src/core/member/partition/loss-signs.js';

describe('the judgement of a loss', () => {
  const judge = (facts: Partial<LossFacts>) =>
    judgeLoss({
      signs: NO_SIGNS,
      newJumps: [],
      bounds: { first: 1, last: 100, missing: 0, mostPerSubject: 0 },
      received: 50,
      settledTo: 50,
      soundTo: facts.settledTo ?? 50,
      mostWaiting: 0,
      fellByCount: 0,
      hidden: 0,
      waited: 0,
      isFull: false,
      ...facts,
    });
  const jump = { from: 21, to: 45, skipped: 23, isLong: true, isDoubtful: false };

  it('messages that disappeared after a jump are part of the reported range', () => {
    const bounds = { first: 64, last: 66, missing: 0, mostPerSubject: 0 };
    const facts = { bounds, received: 64, settledTo: 21, mostWaiting: 2 };
    assert.deepEqual(judge({ ...facts, signs: { jumps: [jump], fell: 0 } }), {
      from: 22,
      to: 44,
      atMost: 23,
    });
    assert.deepEqual(judge({ ...facts, signs: { jumps: [jump], fell: 16 } }), {
      ...{ from: 22, to: 66, atMost: 39 },
    });
  });

  it('messages that were stored and dropped before the server counted are part of the bound', () => {
    const bounds = { first: 101, last: 118, missing: 0, mostPerSubject: 0 };
    assert.equal(judge({ bounds, mostWaiting: 0 }), undefined);
    assert.deepEqual(judge({ bounds, mostWaiting: 1, waited: 30 }), { from: 51, to: 100, atMost: 30 });
    assert.deepEqual(judge({ bounds, mostWaiting: 0, waited: 30 }), { from: 51, to: 100, atMost: 30 });
  });

  it('the bound on the lost messages is never higher than the number of sequences in the range', () => {
    const bounds = { first: 25, last: 66, missing: 0, mostPerSubject: 0 };
    const signs = { jumps: [jump], fell: 0 };
    assert.deepEqual(judge({ bounds, received: 45, settledTo: 21, signs }), { from: 22, to: 24, atMost: 3 });
  });

  it('a fall of the waiting messages may show a loss before sequences that were received and settled meanwhile', () => {
    const bounds = { first: 104, last: 113, missing: 0, mostPerSubject: 0 };
    const facts = { bounds, received: 113, settledTo: 111, signs: { jumps: [], fell: 57 } };
    assert.deepEqual(judge({ ...facts, soundTo: 42 }), { from: 43, to: 113, atMost: 57 });
    assert.equal(judge({ ...facts, soundTo: 111 }), undefined);
  });

  it('nothing is lost if the stream still holds everything', () => {
    assert.equal(judge({ signs: { jumps: [jump], fell: 3 }, settledTo: 21 }), undefined);
  });
});
