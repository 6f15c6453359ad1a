import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  fnv1a32,
  partitionOf,
  partitionOfSubject,
  partitionSubject,
  partitionWildcard,
} from '../../src/core/protocol/layout.js';

/**
 * Keys, each with its partition of 8, 16 and 1,000. The values come from the subject mapping `partition()` of nats-server 2.9.10, 2.10.27
 * and 2.15.1.
 */
const SERVER_VECTORS: [string, number, number, number][] = [
  ['0', 7, 15, 63],
  ['a', 4, 12, 220],
  ['user-7', 6, 14, 262],
  ['order-1000', 7, 15, 191],
  ['key-49', 4, 4, 404],
  ['foobar', 0, 8, 720],
  ['Zürich', 0, 0, 984],
  ['日本', 1, 1, 721],
  ['🔑', 7, 7, 607],
  ['x'.repeat(200), 5, 5, 693],
  ['a:b/c=d+e', 7, 7, 711],
  ['00000000-0000-4000-8000-000000000001', 2, 2, 522],
];

describe('layout', () => {
  it("keys are hashed like the FNV authors' test vectors", () => {
    assert.equal(fnv1a32(''), 0x811c9dc5);
    assert.equal(fnv1a32('a'), 0xe40c292c);
    assert.equal(fnv1a32('foobar'), 0xbf9cf968);
  });

  it("keys have the same partitions as in the server's subject mapping", () => {
    for (const [key, of8, of16, of1000] of SERVER_VECTORS) {
      assert.deepEqual(
        [partitionOf(key, 8), partitionOf(key, 16), partitionOf(key, 1_000)],
        [of8, of16, of1000],
        key,
      );
    }
  });

  it('the layout agrees with the test vectors for other languages, and with the Python code in the document', () => {
    const document = readFileSync(new URL('../../docs/existing-streams.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| `(.+)` \| `([0-9a-f]{8})` \| (\d+) \| (\d+) \|$/gm)];
    assert.equal(rows.length, 5);
    for (const [, key = '', hash = '', of8, of16] of rows) {
      assert.equal(fnv1a32(key), Number.parseInt(hash, 16), key);
      assert.deepEqual([partitionOf(key, 8), partitionOf(key, 16)], [Number(of8), Number(of16)], key);
    }
    const [, code = ''] = /```python\n([\s\S]*?)```/.exec(document) ?? [];
    const keys = JSON.stringify(SERVER_VECTORS.map(([key]) => key));
    const print = `\nimport json\nprint([partition_of(key, 1000) for key in json.loads(${JSON.stringify(keys)})])`;
    const python = spawnSync('python3', ['-c', code + print], { encoding: 'utf8' });
    // Not every machine has Python.
    if (python.error) return;
    assert.deepEqual(
      JSON.parse(python.stdout),
      SERVER_VECTORS.map(([, , , of1000]) => of1000),
      python.stderr,
    );
  });

  it('text is hashed by its UTF-8 bytes', () => {
    for (const [key] of SERVER_VECTORS)
      assert.equal(fnv1a32(key), fnv1a32(new TextEncoder().encode(key)), key);
  });

  it('subjects of partitions are named and read back', () => {
    assert.equal(partitionSubject('subject.events', 7), 'subject.events.p.7');
    assert.equal(partitionWildcard('subject.events'), 'subject.events.p.*');
    assert.equal(partitionOfSubject('subject.events', 'subject.events.p.7'), 7);
    assert.equal(partitionOfSubject('subject.events', 'subject.events.p.7.c12.created'), 7);
    for (const subject of ['subject.events.p.07', 'subject.events.p.', 'other.p.7', 'subject.events.p.7.']) {
      assert.equal(partitionOfSubject('subject.events', subject), undefined, subject);
    }
  });
});
