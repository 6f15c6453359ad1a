import assert from 'node:assert/strict';
import fc from 'fast-check';
import { textWidth } from '../../src/core/lib/text.js';
import type { StoredMessage } from '../../src/core/ports/stream-admin.js';
import { formatMessage, formatMessageLine, messageJson } from '../../src/text/message-lines.js';

const HOSTILE = 'a\u001b[31m\u0007b\u202e\nc';
const bytes = (text: string) => new TextEncoder().encode(text);

describe('messages on a terminal', () => {
  const stored = (data: Uint8Array, key: string | null = HOSTILE): StoredMessage => ({
    sequence: 7,
    subject: `s.p.3${HOSTILE}`,
    partition: 3,
    key,
    atMs: 0,
    headers: [['X', HOSTILE]],
    data,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
  const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

  it('messages on a terminal contain no control characters, whatever key, headers, subject and payload contain', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string({ unit: 'binary' }), (data, key) => {
        for (const line of [
          ...formatMessage(stored(data, key)),
          formatMessageLine(stored(data, key), undefined),
        ]) {
          assert.doesNotMatch(line, CONTROL);
        }
      }),
    );
  });

  it('messages on a terminal fit into its width, even if the payload is long or a character is cut', () => {
    for (const columns of [20, 60, 80]) {
      for (const character of ['ü', '仕']) {
        const line = formatMessageLine(stored(bytes(character.repeat(5_000)), 'k'), columns);
        assert.ok(textWidth(line) <= columns, `${textWidth(line)} > ${columns}`);
      }
    }
    assert.match(formatMessageLine(stored(bytes('ü'.repeat(5_000)), 'k'), 80), /ü…$/);
    assert.match(formatMessageLine(stored(new Uint8Array([0xff, 0xfe]), 'k'), undefined), /\(not text\)$/);
  });

  it('messages in JSON are complete: text as text, bytes as base64', () => {
    assert.match(JSON.stringify(messageJson(stored(bytes(HOSTILE)))), /"data":"a\\u001b/);
    assert.match(JSON.stringify(messageJson(stored(new Uint8Array([0xff])))), /"data_base64":"\/w=="/);
  });
});
