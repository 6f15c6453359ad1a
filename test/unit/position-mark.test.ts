import assert from 'node:assert/strict';
import { misfit } from '../../src/core/protocol/position-mark.js';

describe('the stream of a position', () => {
  const mark = { sequence: 5, created: 1_000, stored: 2_000 };

  it('a position belongs to another stream if its sequence is beyond the end of the stream', () => {
    assert.equal(misfit({ sequence: 5 }, { last: 4 }), 'beyond-end');
    assert.equal(misfit({ sequence: 5 }, { last: 5 }), null);
  });

  it("the message at its sequence decides to which stream a position belongs, regardless of the stream's creation", () => {
    for (const created of [1_000, 5_000, undefined]) {
      assert.equal(misfit(mark, { last: 9, created, stored: 2_000 }), null);
      assert.equal(misfit(mark, { last: 9, created, stored: 3_000 }), 'other-stream');
    }
  });

  it("if the message at a position is gone or was never known, the stream's creation time decides", () => {
    assert.equal(misfit(mark, { last: 9, created: 1_000 }), null);
    assert.equal(misfit(mark, { last: 9, created: 5_000 }), 'other-stream');
    const { stored: _, ...begun } = mark;
    assert.equal(misfit(begun, { last: 9, created: 1_000, stored: 3_000 }), null);
    assert.equal(misfit(begun, { last: 9, created: 5_000, stored: 2_000 }), 'other-stream');
  });

  it('a position belongs to the present stream if no time is known, or no message counts as handled', () => {
    assert.equal(misfit({ sequence: 5 }, { last: 9, created: 5_000, stored: 3_000 }), null);
    assert.equal(misfit(mark, { last: 9 }), null);
    assert.equal(misfit({ ...mark, sequence: 0 }, { last: 9, created: 5_000, stored: 3_000 }), null);
  });

  it('a position belongs to the same stream for both roundings of a time', () => {
    assert.equal(misfit(mark, { last: 9, stored: 2_001 }), null);
    assert.equal(misfit(mark, { last: 9, stored: 2_002 }), 'other-stream');
  });
});
