import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfirmedLog } from '../../src/cli/publish/confirmed-log.js';
import { type Addressing, generatedSource, type Payload } from '../../src/cli/publish/source.js';
import type { OutgoingMessage } from '../../src/core/publisher/types.js';
import { withTempFolder } from '../support/temp.js';

function first(count: number, payload: Payload, addressing: Addressing = {}): OutgoingMessage[] {
  const source = generatedSource(payload, addressing);
  return Array.from({ length: count }, () => {
    const message = source.next();
    assert.ok(message && !(message instanceof Promise));
    return message;
  });
}

describe('generated messages', () => {
  it('generated messages have the requested size, are printable, and share their memory', () => {
    for (const sizeBytes of [0, 1, 128, 1_021]) {
      const [one, two] = first(2, { sizeBytes });
      assert.equal(one?.data.length, sizeBytes);
      assert.equal(one?.data, two?.data);
      assert.match(Buffer.from(one?.data ?? '').toString('latin1'), /^[\w-]*$/);
    }
  });

  it('generated messages take generated keys in turn', () => {
    assert.deepEqual(
      first(5, { sizeBytes: 1 }, { keys: 3 }).map(({ key }) => key),
      ['key-0', 'key-1', 'key-2', 'key-0', 'key-1'],
    );
  });

  it('generated messages prefer the first keys with a skew', () => {
    const keys = first(2_000, { sizeBytes: 1 }, { keys: 100, keySkew: 1.5 }).map(({ key }) => key);
    const share = (key: string) => keys.filter((other) => other === key).length / keys.length;
    // By Zipf's law the shares are about 0.41 and 0.15. They are too far apart for chance to matter.
    assert.ok(share('key-0') > 0.3 && share('key-1') < 0.25, `${share('key-0')} ${share('key-1')}`);
  });

  it('payload, key, id and headers of generated messages are numbered alike', () => {
    const addressing = {
      key: 'k{{Count}}',
      id: 'i{{Count}}',
      headers: { A: 'a{{Count}}', B: 'b' },
      partition: 2,
    };
    assert.deepEqual(first(2, { template: 'd{{Count}}' }, addressing)[1], {
      data: 'd2',
      key: 'k2',
      id: 'i2',
      headers: { A: 'a2', B: 'b' },
      partition: 2,
    });
  });
});

describe('ConfirmedLog', () => {
  const temp = withTempFolder();

  it('the log of confirmed messages has one line per message, text as text and other bytes as base64', () => {
    const path = join(temp(), 'confirmed.ndjson');
    const log = new ConfirmedLog(path);
    log.add({ data: 'Grüße "1"', key: 'k' }, 3, 12, false);
    log.add({ data: new Uint8Array([0xff, 0x00]) }, 0, 13, true);
    for (let i = 0; i < 5_000; i++) log.add({ data: 'x'.repeat(20) }, 1, 14 + i, false);
    log.close();
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.equal(lines[0], '{"partition":3,"sequence":12,"key":"k","data":"Grüße \\"1\\""}');
    assert.equal(lines[1], '{"partition":0,"sequence":13,"key":null,"duplicate":true,"data_base64":"/wA="}');
    assert.equal(lines.length, 5_003);
  });

  it('the log of confirmed messages keeps a byte order mark, which is part of the payload, as consume does', () => {
    const path = join(temp(), 'confirmed.ndjson');
    const log = new ConfirmedLog(path);
    log.add({ data: Uint8Array.of(0xef, 0xbb, 0xbf, 0x41) }, 0, 1, false);
    log.close();
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).data, '\ufeffA');
  });

  it('the log of confirmed messages truncates an existing file at the first write or at the end', () => {
    const path = join(temp(), 'confirmed.ndjson');
    writeFileSync(path, 'of an earlier run\n');
    const log = new ConfirmedLog(path);
    assert.equal(readFileSync(path, 'utf8'), 'of an earlier run\n');
    log.close();
    assert.equal(readFileSync(path, 'utf8'), '');
  });
});
