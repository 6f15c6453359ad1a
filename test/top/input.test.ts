import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readKeys } from '../../src/top/term/input.js';

describe('keys of a terminal', () => {
  const cases: [string, string[]][] = [
    ['jjj', ['j', 'j', 'j']],
    ['\u001b[A\u001b[B\u001bOC\u001b[D', ['up', 'down', 'right', 'left']],
    [
      '\u001b[5~\u001b[6~\u001b[1~\u001b[4~\u001b[H\u001b[F',
      ['pageup', 'pagedown', 'home', 'end', 'home', 'end'],
    ],
    ['\t\u001b[Z\r\u007f \u0003', ['tab', 'shift-tab', 'enter', 'backspace', 'space', 'ctrl-c']],
    // Ctrl+F1 has crashed Ink; F-keys and mouse reports mean nothing here.
    ['\u001b[1;5Pq\u001b[15~q\u001b[<0;3;4Mq\u001bOPq', ['q', 'q', 'q', 'q']],
    ['\u001bjq', ['q']],
    ['\u001b\u001b[A', ['escape', 'up']],
    ['é漢', ['é', '漢']],
  ];
  for (const [text, keys] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(readKeys(text), { keys, rest: '' }));
  }

  it('waits for the rest of a sequence', () => {
    assert.deepEqual(readKeys('q\u001b[1;'), { keys: ['q'], rest: '\u001b[1;' });
    assert.deepEqual(readKeys('\u001b'), { keys: [], rest: '\u001b' });
  });

  it('reads the same keys however the bytes are cut', () => {
    const pieces = fc.constantFrom('j', 'q', '\u001b[A', '\u001b[5~', '\t', '\u001bOB', '\u001b[1;5P', 'ü');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.nat(), (parts, at) => {
        const text = parts.join('');
        const whole = readKeys(text);
        const cut = text.length === 0 ? 0 : at % text.length;
        const first = readKeys(text.slice(0, cut));
        const second = readKeys(first.rest + text.slice(cut));
        assert.deepEqual([...first.keys, ...second.keys], whole.keys);
      }),
    );
  });
});
