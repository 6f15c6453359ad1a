import assert from 'node:assert/strict';
import { fnv1a32 } from '../../src/core/protocol/layout.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';
import { namedKey, parseMessageKey, partitionByKey } from '../../src/core/protocol/message-key.js';

const message = (subject: string, payload = '', headers: Record<string, string> = {}): StreamMessage => ({
  sequence: 1,
  subject,
  data: new TextEncoder().encode(payload),
  size: payload.length,
  timestampMs: 0,
  key: null,
  headers: () => headers,
});

const keyOf = (text: string, of: StreamMessage): string | null | undefined => parseMessageKey(text)?.of(of);

describe('the key of a message in a keyed group', () => {
  it('a key may be one token of the subject, or several joined by dots', () => {
    const order = message('orders.c7.created');
    assert.equal(keyOf('subject:2', order), 'c7');
    assert.equal(keyOf('subject:1,3', order), 'orders.created');
    assert.equal(keyOf('subject:4', order), null);
    assert.equal(keyOf('subject:2,4', order), null);
  });

  it('a key may be a header', () => {
    assert.equal(keyOf('header:Customer', message('x', '', { Customer: 'c7' })), 'c7');
    assert.equal(keyOf('header:Customer', message('x', '', { Customer: '' })), null);
    assert.equal(keyOf('header:Customer', message('x')), null);
  });

  it('a key may be a text, number or boolean at a path of a JSON payload, and is null for other payloads', () => {
    const at = (payload: string): string | null | undefined =>
      keyOf('json:customer.id', message('x', payload));
    assert.equal(at('{"customer":{"id":"c7"}}'), 'c7');
    assert.equal(at('{"customer":{"id":7}}'), '7');
    assert.equal(at('{"customer":{"id":false}}'), 'false');
    for (const payload of [
      '',
      'no JSON',
      '[]',
      '{"customer":"c7"}',
      '{"customer":{"id":{}}}',
      '{"customer":null}',
    ])
      assert.equal(at(payload), null, payload);
    assert.equal(keyOf('json:__proto__', message('x', '{}')), null);
  });

  it('the hash of the key decides the partition, and without a key the hash of the whole subject does', () => {
    const order = message('orders.c7.created');
    assert.equal(partitionByKey('c7', order, 16), fnv1a32('c7') % 16);
    assert.equal(partitionByKey(null, order, 16), fnv1a32('orders.c7.created') % 16);
  });

  it('a key setting has one canonical text, and meaningless texts are refused', () => {
    assert.equal(parseMessageKey(' subject:2,3 ')?.text, 'subject:2,3');
    assert.equal(namedKey('tenant', () => 'x').text, 'function:tenant');
    for (const text of [
      '',
      'subject',
      'subject:',
      'subject:0',
      'subject:2,',
      'subject:33',
      'subject:-1',
      'header:',
      'header:a b',
      'json:',
      'json:a..b',
      'function:x',
    ])
      assert.equal(parseMessageKey(text), undefined, text);
  });

  it('a key function that throws, or returns neither text nor null, is named with the message', async () => {
    const keyBy = (find: () => unknown): string | null => namedKey('tenant', find).of(message('x'));
    assert.equal(
      keyBy(() => null),
      null,
    );
    assert.equal(
      keyBy(() => undefined),
      null,
    );
    const thrown = new TypeError('no tenant');
    assert.throws(
      () =>
        keyBy(() => {
          throw thrown;
        }),
      {
        message: /key function tenant threw "no tenant" for message 1, .* null for no key$/,
        cause: thrown,
      },
    );
    assert.throws(() => keyBy(() => 7), /key function tenant returned a value of type number for message 1/);
    // The rejection of a promise that nobody awaits must not end the process.
    assert.throws(() => keyBy(() => Promise.reject(thrown)), /tenant returned a promise for message 1/);
    await new Promise((resolve) => setImmediate(resolve));
  });
});
