import assert from 'node:assert/strict';
import { type Answer, describeMember, isMute, type MemberStatus } from '../../src/core/admin/members.js';
import type { SessionRecord } from '../../src/core/protocol/records.js';

const RECORD: SessionRecord = {
  v: 1,
  id: 'S1',
  name: 'a',
  host: 'h',
  pid: 1,
  version: '1.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  ttlMs: 10_000,
  suspectMs: 800,
};

function seen(answer: Answer, renewedAgoMs: number, record: Partial<SessionRecord> = {}): MemberStatus {
  const session = { id: 'S1', revision: 1, atMs: 0, record: { ...RECORD, ...record } };
  return describeMember(session, { answer, renewedAgoMs, stats: null, answeredAtMs: null });
}

describe('the state of a member', () => {
  it('a member without a subscriber is unreachable only if it has not renewed either', () => {
    const renewing = seen('gone', 800);
    assert.deepEqual([renewing.state, isMute(renewing)], ['live', true]);
    const dead = seen('gone', 801);
    assert.deepEqual([dead.state, isMute(dead)], ['unreachable', false]);
    assert.equal(seen('gone', 801, { leaving: true }).state, 'unreachable');
    assert.equal(seen('gone', 500, { leaving: true }).state, 'leaving');
  });

  it('a member whose session cannot be read is not taken for one that renews, but accepts no requests', () => {
    const session = { id: 'S1', revision: 1, atMs: 0, record: null };
    const facts = { answer: 'gone', renewedAgoMs: 3_600_000, stats: null, answeredAtMs: null } as const;
    const unreadable = describeMember(session, facts);
    assert.deepEqual([unreadable.state, isMute(unreadable)], ['unreadable', false]);
  });

  it('a member without probes is unreachable only after its ttl', () => {
    const suspectMs = Number.MAX_SAFE_INTEGER;
    assert.equal(seen('gone', 9_000, { suspectMs }).state, 'late');
    assert.equal(seen('gone', 10_001, { suspectMs }).state, 'unreachable');
  });

  it('a member that answers after its ttl is blocked, not expired', () => {
    assert.equal(seen('answered', 10_001).state, 'blocked');
    assert.equal(seen('silent', 10_001).state, 'expired');
    assert.equal(seen('answered', 9_000).state, 'late');
  });
});
