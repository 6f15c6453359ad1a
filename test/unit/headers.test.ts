import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { MsgHdrsImpl } from 'nats';
import {
  decodeHeaders,
  encodeHeaders,
  plainHeaders,
  readHeadersTolerantly,
} from '../../src/core/nats/client/headers.js';

const block = (...lines: string[]): Uint8Array => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('headers', () => {
  it('headers that the client has written are read as the client reads them', () => {
    const bytes = block('NATS/1.0', 'Natspoc-Key: user 7', 'A:b', 'A: c', 'natspoc-key: other', 'Empty:');
    const ours = decodeHeaders(bytes);
    assert.ok(ours.equals(MsgHdrsImpl.decode(bytes)));
    assert.deepEqual(
      [ours.get('Natspoc-Key'), ours.get('A'), ours.get('Empty'), ours.get('None'), ours.values('A')],
      ['user 7', 'b', '', '', ['b', 'c']],
    );
  });

  for (const [line, code, description] of [
    ['NATS/1.0 503', 503, ''],
    ['NATS/1.0 409 Exceeded MaxRequestBatch of 32', 409, 'Exceeded MaxRequestBatch of 32'],
    ['NATS/1.0   100   Idle Heartbeat ', 100, 'Idle Heartbeat'],
    ['NATS/1.0 huh', 0, ''],
    ['HTTP/1.1 200 OK', 0, ''],
    ['', 0, ''],
  ] as const) {
    it(`headers contain the status of "${line}"`, () => {
      const decoded = decodeHeaders(block(line, 'A: b'));
      assert.deepEqual([decoded.code, decoded.description, decoded.get('A')], [code, description, 'b']);
    });
  }

  it('headers that the client would refuse are read', () => {
    const bytes = block(
      'NATS/1.0',
      'My Header: v',
      'Natspoc-Key: a\rb',
      'é: ü\nz',
      ': none',
      'no colon',
      'Z: 1',
    );
    // In a separate process: in this one, another test may have installed our decoder.
    const code = `import { MsgHdrsImpl } from 'nats'; MsgHdrsImpl.decode(Buffer.from(process.argv[1], 'base64'))`;
    const node = ['--input-type=module', '-e', code, Buffer.from(bytes).toString('base64')];
    assert.notEqual(spawnSync(process.execPath, node, { cwd: ROOT }).status, 0, 'the client decodes it');
    assert.deepEqual(plainHeaders(decodeHeaders(bytes)), {
      'My Header': 'v',
      'Natspoc-Key': 'a\rb',
      é: 'ü\nz',
      Z: '1',
    });
  });

  it('headers may have any name, even the name of a property of Object.prototype', () => {
    const plain = plainHeaders(decodeHeaders(block('NATS/1.0', '__proto__: a', 'constructor: b')));
    assert.deepEqual(Object.entries(plain), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it('headers are sent again unchanged', () => {
    const again = (headers: Record<string, string>) =>
      plainHeaders(decodeHeaders(encodeHeaders(headers).encode()));
    const odd = { 'My Header': 'v', 'Natspoc-Key': 'a\rb', é: 'ü\nz' };
    assert.deepEqual(again(odd), odd);
    assert.deepEqual(again({ 'A: x\r\nB': 'c\r\nD: e' }), { 'A  x B': 'c D: e' });
  });

  it('headers of any bytes are read without an error, and survive a round trip', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'NATS/1.0',
        '\r\n',
        '\r',
        '\n',
        ': ',
        ':',
        ' 503 ',
        'Natspoc-Key',
        '__proto__',
        'ü',
        '\0',
      ),
      fc.string(),
    );
    const text = fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(pieces.join('')));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        const headers = plainHeaders(decodeHeaders(bytes));
        assert.deepEqual(plainHeaders(decodeHeaders(encodeHeaders(headers).encode())), headers);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the client reads headers of answers in the same way', () => {
    const { decode } = MsgHdrsImpl;
    try {
      readHeadersTolerantly();
      assert.equal(MsgHdrsImpl.decode(block('NATS/1.0 503', 'My Header: v')).code, 503);
    } finally {
      MsgHdrsImpl.decode = decode;
    }
  });
});
