import '../../src/top/ui/production.js';

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { render } from 'ink';
import { createElement } from 'react';
import { KeyStream, splitKeys } from '../../src/top/term/key-stream.js';
import { useKeys } from '../../src/top/ui/use-keys.js';
import { until } from '../support/until.js';

/** A terminal's input. It sends what the test writes. */
class FakeStdin extends EventEmitter {
  isRaw = false;
  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
  setEncoding(): this {
    return this;
  }
  resume(): void {}
  pause(): void {}
}

let pressed: string[] = [];

function Listener(): null {
  useKeys((key) => pressed.push(key));
  return null;
}

describe('keys of a terminal', () => {
  const stdin = new FakeStdin();
  const input = new KeyStream(stdin as unknown as NodeJS.ReadStream);
  const ink = render(createElement(Listener), {
    stdin: input as unknown as NodeJS.ReadStream,
    stdout: new PassThrough() as unknown as NodeJS.WriteStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  before(() => until('raw mode is on', () => stdin.isRaw));
  after(() => ink.unmount());
  beforeEach(() => {
    pressed = [];
  });

  const cases: [string, string[]][] = [
    ['jjj', ['j', 'j', 'j']],
    ['\u001b[A\u001b[B\u001bOC\u001b[D', ['up', 'down', 'right', 'left']],
    [
      '\u001b[5~\u001b[6~\u001b[1~\u001b[4~\u001b[H\u001b[F',
      ['pageup', 'pagedown', 'home', 'end', 'home', 'end'],
    ],
    [
      '\t\u001b[Z\r\n\u007f\b \u0003',
      'tab shift-tab enter enter backspace backspace space ctrl-c'.split(' '),
    ],
    // These keys are dropped. Ctrl+F1 crashes Ink. Top does not use F-keys and mouse reports.
    ['\u001b[1;5Pq\u001b[15~q\u001b[<0;3;4Mq\u001bOPq\u001b[[Aq', ['q', 'q', 'q', 'q', 'q']],
    ['\u001b[1;5A\u001b[3~', ['up']],
    ['\u001bjq', ['q']],
    ['\u001b\u001b[A', ['escape', 'up']],
    ['é漢G', ['é', '漢', 'G']],
  ];
  for (const [text, keys] of cases) {
    it(`keys arrive in Ink's useInput one by one: ${JSON.stringify(text)}`, async () => {
      stdin.emit('data', `${text}.`);
      await until('the last key arrives', () => pressed.at(-1) === '.');
      assert.deepEqual(pressed, [...keys, '.']);
    });
  }

  it('Escape is a key if the rest of a sequence does not arrive, and otherwise a part of the sequence', async () => {
    stdin.emit('data', '\u001b');
    await until('Escape has arrived', () => pressed.length > 0);
    stdin.emit('data', '\u001b[');
    await sleep(5);
    stdin.emit('data', 'B');
    await until('the sequence has arrived', () => pressed.length > 1);
    assert.deepEqual(pressed, ['escape', 'down']);
  });

  it('an incomplete sequence waits for its rest', () => {
    assert.deepEqual(splitKeys('q\u001b[1;'), { keys: ['q'], rest: '\u001b[1;' });
    assert.deepEqual(splitKeys('\u001b'), { keys: [], rest: '\u001b' });
  });

  it('the keys are the same for any chunks of bytes', () => {
    const pieces = fc.constantFrom('j', 'q', '\u001b[A', '\u001b[5~', '\t', '\u001bOB', '\u001b[1;5P', 'ü');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.nat(), (parts, at) => {
        const text = parts.join('');
        const whole = splitKeys(text);
        const cut = text.length === 0 ? 0 : at % text.length;
        const first = splitKeys(text.slice(0, cut));
        const second = splitKeys(first.rest + text.slice(cut));
        assert.deepEqual([...first.keys, ...second.keys], whole.keys);
      }),
    );
  });
});
