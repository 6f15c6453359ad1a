import assert from 'node:assert/strict';
import { toNdjson, toText } from '../../src/cli/consume/message-line.js';
import { HandlerCall } from '../../src/core/member/partition/handler-call.js';
import { SILENT } from '../../src/core/member/partition/logger.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';
import { fakeMessage } from '../support/fake-partition.js';

const message = (data: Uint8Array, key: string | null = null): StreamMessage => ({
  ...fakeMessage(1234, key),
  data,
  size: data.length,
  timestampMs: 1_700_000_000_123.9,
});
const bytes = (text: string) => new TextEncoder().encode(text);
const call = (of: StreamMessage, attempt = 1) =>
  new HandlerCall({ partition: 3, epoch: 41, logger: SILENT }, of, attempt);
const ndjson = (of: StreamMessage, attempt?: number) => JSON.parse(toNdjson(of, call(of, attempt)));

describe('the line for a message', () => {
  it('the line for a message has all fields of the message', () => {
    assert.deepEqual(ndjson(message(bytes('hello'), 'user-7')), {
      partition: 3,
      sequence: 1234,
      epoch: 41,
      key: 'user-7',
      subject: 'e.p.0',
      time: '2023-11-14T22:13:20.123Z',
      redelivered: false,
      data: 'hello',
    });
    const again = ndjson(message(bytes('')), 2);
    assert.deepEqual([again.key, again.redelivered, again.data], [null, true, '']);
  });

  for (const text of ['"quoted" \\ and \n \u0000 \u001b', 'Grüße, 世界 🎉', '\ufeffwith a mark', '\u2028']) {
    it(`the line for a message keeps ${JSON.stringify(text)} unchanged`, () => {
      assert.equal(ndjson(message(bytes(text), text)).data, text);
      assert.equal(ndjson(message(bytes(text), text)).key, text);
    });
  }

  it('the line for a message has base64 for bytes that are not text', () => {
    const line = ndjson(message(Uint8Array.of(0xff, 0xfe, 0x00)));
    assert.deepEqual([line.data, line.data_base64], [undefined, '//4A']);
  });

  it('the line for a message escapes control characters for people', () => {
    const of = message(bytes('\u001b[2Jx\u202e'), 'a\nb');
    const [date, time, ...rest] = toText(of, call(of)).split(' ');
    assert.match(`${date} ${time}`, /^2023-11-1\d \d\d:\d\d:20\.123$/);
    assert.equal(rest.join(' '), 'p3 #1234 a\\u000ab  \\u001b[2Jx\\u202e');
  });
});
