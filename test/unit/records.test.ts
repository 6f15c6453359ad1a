import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keys, parseGroupKey } from '../../src/core/protocol/keys.js';
import { decodeGroupLayout, decodeLayout } from '../../src/core/protocol/layout-records.js';
import { decodePosition, type PositionRecord } from '../../src/core/protocol/position-records.js';
import { foreignFormat, RESIZED_VERSION, unreadableAs } from '../../src/core/protocol/record-format.js';
import {
  decodeLease,
  decodeSession,
  encodeRecord,
  type LeaseRecord,
  type SessionRecord,
} from '../../src/core/protocol/records.js';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const session: SessionRecord = {
  v: 2,
  id: 'S1',
  name: 'alice',
  host: 'h',
  pid: 7,
  version: '0.1.0',
  startedAt: '2026-11-23T10:00:00.000Z',
  ttlMs: 10_000,
  suspectMs: 800,
};
const lease: LeaseRecord = { v: 1, owner: 'S1', name: 'alice', reason: 'claim', from: null, at: 'now' };
const position: PositionRecord = { v: 1, seq: 12, epoch: 3, at: 'now' };

describe('records', () => {
  it('records survive a round trip', () => {
    assert.deepEqual(decodeSession(encodeRecord(session)), session);
    assert.deepEqual(decodeSession(encodeRecord({ ...session, leaving: true })), {
      ...session,
      leaving: true,
    });
    assert.deepEqual(decodeLease(encodeRecord(lease)), lease);
    assert.deepEqual(decodeLease(encodeRecord({ ...lease, owner: null })), { ...lease, owner: null });
    assert.deepEqual(decodePosition(encodeRecord(position)), position);
    assert.deepEqual(decodePosition(encodeRecord({ ...position, reader: 'f00d' })), {
      ...position,
      reader: 'f00d',
    });
    assert.deepEqual(
      decodePosition(bytes({ ...position, reader: 'a.b' })),
      position,
      'a reader token with a dot is ignored',
    );
    assert.deepEqual(decodePosition(encodeRecord({ ...position, trimmed: 7 })), { ...position, trimmed: 7 });
    assert.deepEqual(decodePosition(bytes({ ...position, trimmed: -1 })), position);
    const layout = { v: 1, prefix: 'subject.events', partitions: 8, hash: 'fnv1a32' } as const;
    assert.deepEqual(decodeLayout(encodeRecord(layout)), layout);
  });

  it('a record is refused when a field is missing or of another type', () => {
    const decoders = [
      [session, decodeSession],
      [lease, decodeLease],
      [position, decodePosition],
    ] as const;
    for (const [record, decode] of decoders) {
      for (const field of Object.keys(record)) {
        const without: Record<string, unknown> = { ...record };
        delete without[field];
        assert.equal(decode(bytes(without)), undefined, `without ${field}`);
        assert.equal(decode(bytes({ ...record, [field]: { odd: true } })), undefined, `odd ${field}`);
      }
    }
  });

  it('a record of a newer version is not read', () => {
    assert.equal(decodeSession(bytes({ ...session, v: 3 })), undefined);
    assert.equal(decodePosition(bytes({ ...position, v: RESIZED_VERSION + 1 })), undefined);
  });

  it('records of a resized group keep the epoch of their layout, and are not read if that epoch is broken', () => {
    const resized = { ...lease, v: RESIZED_VERSION, layout: 2, closed: { order: 7, seq: 12, trimmed: 1 } };
    assert.deepEqual(decodeLease(bytes(resized)), resized);
    for (const broken of [
      { ...resized, layout: 'x' },
      { ...resized, closed: { order: 7 } },
    ])
      assert.equal(decodeLease(bytes(broken)), undefined);
    const sought = { ...position, v: RESIZED_VERSION, layout: 2, sought: true };
    assert.deepEqual(decodePosition(bytes(sought)), sought);
    const layout = {
      ...{ v: RESIZED_VERSION, key: 'subject:2', filter: '>', partitions: 3, hash: 'fnv1a32', epoch: 1 },
      before: { partitions: 2, positions: [4, 5] },
      next: { partitions: 9, by: 'op', at: '' },
    };
    assert.deepEqual(decodeGroupLayout(bytes(layout)), layout);
    for (const broken of [{ before: { partitions: 2, positions: [4] } }, { before: 1 }, { next: {} }])
      assert.equal(decodeGroupLayout(bytes({ ...layout, ...broken })), undefined);
  });

  it('a session of an older version is not read, because that version keeps no proof of life', () => {
    assert.equal(decodeSession(bytes({ ...session, v: 1 })), undefined);
    assert.deepEqual(foreignFormat(bytes({ ...session, v: 1 })), { v: 1, version: '0.1.0' });
    assert.equal(foreignFormat(bytes(session)), undefined);
    assert.deepEqual(foreignFormat(bytes({ v: 9 })), { v: 9, version: null });
    assert.equal(foreignFormat(bytes({})), undefined);
  });

  it('an undecodable value shows whether it is of a newer version', () => {
    assert.equal(unreadableAs(bytes({ ...position, v: RESIZED_VERSION + 1 })), 'newer');
    for (const broken of [{ ...position, seq: -1 }, { ...position, v: -2 }, { v: 1e300 }, null, [], 'text']) {
      assert.equal(unreadableAs(bytes(broken)), 'broken', JSON.stringify(broken));
    }
    assert.equal(unreadableAs(new Uint8Array(0)), 'broken');
  });

  it('partitions, times and texts in records are bounded', () => {
    const layout = { v: 1, prefix: 'e', partitions: 65_536, hash: 'fnv1a32' };
    assert.ok(decodeLayout(bytes(layout)));
    for (const partitions of [0, 65_537, 1e7, 1e15, 1.5]) {
      assert.equal(decodeLayout(bytes({ ...layout, partitions })), undefined, String(partitions));
    }
    for (const prefix of ['', 'a..b', 'a.*', '>', 'a b']) {
      assert.equal(decodeLayout(bytes({ ...layout, prefix })), undefined, prefix);
    }
    assert.ok(decodeSession(bytes({ ...session, ttlMs: 3_600_000, suspectMs: Number.MAX_SAFE_INTEGER })));
    assert.equal(decodeSession(bytes({ ...session, ttlMs: 3_600_001 })), undefined);
    assert.equal(decodeSession(bytes({ ...session, suspectMs: 1e300 })), undefined);
    assert.equal(decodeSession(bytes({ ...session, name: 'x'.repeat(1_025) })), undefined);
    assert.equal(decodePosition(bytes({ ...position, seq: 1e300 })), undefined);
    assert.deepEqual(parseGroupKey('g', 'group.g.lease.65535'), { kind: 'lease', partition: 65_535 });
    assert.deepEqual(parseGroupKey('g', 'group.g.lease.65536'), { kind: 'other' });
  });

  it('decoding a record never throws, for any bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (input) => {
          for (const decode of [decodeSession, decodeLease, decodePosition, decodeLayout]) decode(input);
        },
      ),
    );
  });

  it('a lease is refused when its owner cannot be one token of a subject', () => {
    for (const owner of ['*', '>', 'a.b', 'a b', 'a 0\r\n\r\nPUB b 0', '', 'a\u0000'])
      assert.equal(decodeLease(bytes({ ...lease, owner })), undefined, owner);
  });

  it('the keys of records parse back, and foreign keys are rejected', () => {
    assert.deepEqual(parseGroupKey('g', keys.session('g', 'S1')), { kind: 'session', id: 'S1' });
    assert.deepEqual(parseGroupKey('g', keys.lease('g', 17)), { kind: 'lease', partition: 17 });
    for (const key of [
      'group.g.lease.01',
      'group.g.lease.x',
      'group.g.lease.',
      'group.g.session.a.b',
      'group.g.session.*',
      'group.g.session.>',
      'group.g.session.a b',
      'group.h.lease.1',
      'x',
    ]) {
      assert.deepEqual(parseGroupKey('g', key), { kind: 'other' }, key);
    }
  });
});
