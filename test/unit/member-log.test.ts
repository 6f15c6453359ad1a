import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { GroupMember } from '../../src/core/member/group-member.js';
import { logProblems, tellEvents } from '../../src/core/member/member-log.js';

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

  it('a partition that cannot be read is reported once for the same reason, although times and numbers in it vary', () => {
    const member = new EventEmitter();
    const texts: string[] = [];
    tellEvents(member as unknown as GroupMember, { group: 'g', drainTimeoutMs: 5_000 }, ({ text }) =>
      texts.push(text),
    );
    const unread = (partition: number, retryMs: number, reason: string) =>
      member.emit('unread', { partition, retryMs, reason });
    unread(0, 100, 'nothing arrives, although 12 messages wait');
    unread(0, 230, 'nothing arrives, although 1,340 messages wait');
    unread(1, 100, 'nothing arrives, although 12 messages wait');
    unread(0, 300, 'it is gone');
    assert.deepEqual(texts, [
      'p0 cannot be read (next attempt in 100 ms): nothing arrives, although 12 messages wait',
      'p1 cannot be read (next attempt in 100 ms): nothing arrives, although 12 messages wait',
      'p0 cannot be read (next attempt in 300 ms): it is gone',
    ]);
  });

  it('a connection that breaks again and again, and an event loop that blocks again and again, are logged once a minute', () => {
    const member = new EventEmitter();
    const texts: string[] = [];
    const keep = (_fields: object, text: string) => void texts.push(text);
    const logger = { debug: keep, info: keep, warn: keep, error: keep };
    logProblems(member as unknown as GroupMember, logger, 'g', 5_000);
    const report = (of: object) => member.emit('report', of);
    for (const ms of [1_200, 2_100]) {
      report({ type: 'disconnected', server: 'a:1', reason: 'it was closed' });
      report({ type: 'reconnected', server: 'a:1', afterMs: ms });
      report({ type: 'blocked', partition: 0, sequence: ms, forMs: ms });
    }
    report({ type: 'disconnected', server: 'a:1', reason: 'no answer' });
    report({ type: 'reconnected', server: 'a:1', afterMs: 3_000 });
    assert.deepEqual(
      texts.map((text) => text.replace(/ while message.*/, '')),
      [
        'disconnected from NATS at a:1 (it was closed): reconnecting',
        'connected to NATS at a:1 again after 1.2 s',
        'the event loop was blocked for 1.2 s',
        'disconnected from NATS at a:1 (no answer): reconnecting',
        'connected to NATS at a:1 again after 3.0 s',
      ],
    );
  });
});
