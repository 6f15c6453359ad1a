import assert from 'node:assert/strict';
import { messageOf } from '../../src/core/lib/errors.js';

describe('the message of a thrown value', () => {
  it('any thrown value has a message', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [new Error('no table'), 'no table'],
      ['text', 'text'],
      [undefined, 'undefined'],
      // What a refused connection to a name with several addresses gives.
      [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'AggregateError (ECONNREFUSED)'],
      [new TypeError(), 'TypeError'],
      // Some clients throw plain objects.
      [{ message: 'no rows', code: 'PGRST116' }, 'no rows'],
      [{ status: 429 }, '{"status":429}'],
      [{ message: '' }, '{"message":""}'],
      [Object.create(null), 'a value that cannot be converted to a string was thrown'],
    ];
    for (const [thrown, expected] of cases) assert.equal(messageOf(thrown), expected);
  });
});
