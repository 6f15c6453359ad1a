import assert from 'node:assert/strict';
import { describeOverdue } from '../../src/core/member/status-lines.js';

describe('the lines of a member', () => {
  for (const [sequences, line] of [
    [[7], 'p3: message 7 did not finish within 1.5 s; the next owner handles it again'],
    [[7, 9], 'p3: messages 7, 9 did not finish within 1.5 s; the next owner handles them again'],
  ] as const)
    it(`a line says which handlers did not finish in time: ${sequences.join(', ')}`, () => {
      assert.equal(describeOverdue({ partition: 3, sequences: [...sequences] }, 1_500), line);
    });
});
