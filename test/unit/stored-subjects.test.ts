import assert from 'node:assert/strict';
import type { StreamConfig } from 'nats';
import { SETTINGS } from '../../src/core/config/settings.js';
import { storedSubjects } from '../../src/core/nats/stream/stream-layout.js';

const stored = (subjects: string[], src: string, dest: string): string[] | undefined =>
  storedSubjects({ subjects, subject_transform: { src, dest } } as StreamConfig);

describe('the subjects of stored messages', () => {
  it('a pattern whose subjects are all mapped is not stored', () => {
    assert.deepEqual(stored(['odd.>'], 'odd.>', 'odd.t.>'), ['odd.t.>']);
    assert.deepEqual(stored(['odd.*', 'even.*'], '', 'all.{{wildcard(1)}}'), ['all.*']);
    assert.deepEqual(stored(['odd.>', 'even.>'], 'odd.>', 'odd.t.>'), ['even.>', 'odd.t.>']);
    assert.deepEqual(stored(['odd.>'], 'odd.a.*', 'odd.b.*'), ['odd.>', 'odd.b.*']);
  });

  it('the longest name of a stream leaves room for the name of its bucket', () => {
    const longest = 'S'.repeat(245);
    assert.equal(SETTINGS.stream.parse(longest), longest);
    assert.equal(SETTINGS.stream.parse(`${longest}S`), undefined);
    assert.equal(SETTINGS.bucket.parse(`${longest}_leases`), `${longest}_leases`);
    assert.equal(`KV_${longest}_leases`.length, 255);
  });
});
