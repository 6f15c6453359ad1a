import assert from 'node:assert/strict';
import { literalStart, subjectMatcher, subjectToken } from '../../src/core/protocol/subject.js';

describe('a pattern of subjects', () => {
  it('a pattern matches whole tokens: one for each *, one or more for a final >', () => {
    const cases: [pattern: string, matching: string[], other: string[]][] = [
      [
        'orders.*.created',
        ['orders.c7.created'],
        ['orders.created', 'orders.c7.paid', 'orders.c7.created.x'],
      ],
      ['orders.>', ['orders.c7', 'orders.c7.created'], ['orders', 'order.c7', 'ordersx.c7']],
      ['>', ['a', 'a.b'], []],
      ['*', ['a'], ['a.b', '']],
      ['a.b', ['a.b'], ['a', 'a.bc', 'a.b.c', 'ab']],
    ];
    for (const [pattern, matching, other] of cases) {
      const matches = subjectMatcher(pattern);
      for (const subject of matching) assert.equal(matches(subject), true, `${pattern} ${subject}`);
      for (const subject of other) assert.equal(matches(subject), false, `${pattern} ${subject}`);
    }
  });

  it('a pattern counts tokens from 1, and has a literal prefix', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((number) => subjectToken('a.bc.d', number)),
      ['a', 'bc', 'd', undefined],
    );
    assert.deepEqual(['orders.*.x', 'a.b', '>'].map(literalStart), ['orders', 'a.b', '']);
  });
});
