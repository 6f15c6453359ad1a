import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { GroupMember } from '../../src/core/member/group-member.js';
import { tellEvents } from '../../src/core/member/member-log.js';

describe('the events of a member for people', () => {
  it('a partition that starts again and again for the same reason is reported once, and another reason at once', () => {
    const member = new EventEmitter();
    const texts: string[] = [];
    // The log uses only `on`.
    tellEvents(member as unknown as GroupMember, { group: 'g', drainTimeoutMs: 5_000 }, ({ text }) =>
      texts.push(text),
    );
    const retry = (partition: number, message: string) =>
      member.emit('report', { type: 'retrying', partition, epoch: 7, message });
    for (let n = 0; n < 3; n++) retry(0, 'no answer');
    retry(1, 'no answer');
    retry(0, 'another reason');
    retry(0, 'no answer');
    assert.deepEqual(texts, [
      'p0 starts again: no answer',
      'p1 starts again: no answer',
      'p0 starts again: another reason',
    ]);
  });
});
