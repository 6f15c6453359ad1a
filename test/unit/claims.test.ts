import assert from 'node:assert/strict';
import { describeClaim, measureClaims } from '../../bench/support/claims.js';

const claim = { numerator: 'natspoc', denominator: 'slow', atLeast: 5 };

function described(figures: Record<string, number[]>, targeted = true, atLeast = 5): string[] {
  return measureClaims([{ ...claim, atLeast }], new Map(Object.entries(figures))).map((each) =>
    describeClaim(each, targeted),
  );
}

describe('the claims of a benchmark about its targets', () => {
  it("a missed target above the bare loop's figure is explained, with natspoc's share of that figure", () => {
    const [line = ''] = described({
      natspoc: [400, 360, 380],
      'bare loop': [440, 440, 400],
      slow: [100, 100, 100],
    });
    assert.match(line, /3\.60 \/ 3\.80 \/ 4\.00/);
    assert.match(line, /86% of the ceiling 4\.40; target 5 missed: above the ceiling/);
  });

  it('a missed target that could have been reached gets no excuse', () => {
    const [line = ''] = described({ natspoc: [400], 'bare loop': [600], slow: [100] });
    assert.match(line, /67% of the ceiling 6\.00; target 5 MISSED\)$/);
  });

  it('a reached target is reported, even above the ceiling of the run', () => {
    const [line = ''] = described({ natspoc: [510], 'bare loop': [490], slow: [100] });
    assert.match(line, /104% of the ceiling 4\.90; target 5 reached\)$/);
  });

  it('no claim is made without figures, for another setting, or about the bare loop', () => {
    const figures = new Map([
      ['natspoc', [80]],
      ['bare loop', [100]],
    ]);
    const [beside] = measureClaims([{ ...claim, denominator: 'bare loop', atLeast: 0.9 }], figures);
    assert.match(beside ? describeClaim(beside, true) : '', /0\.80 {2}\(target 0\.9 MISSED\)$/);
    assert.deepEqual(described({ natspoc: [80] }), []);
    assert.doesNotMatch(described({ natspoc: [1], 'bare loop': [1], slow: [1] }, false).join(), /target/);
  });
});
