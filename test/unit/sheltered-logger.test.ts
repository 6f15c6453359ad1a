import assert from 'node:assert/strict';
import type { Logger } from '../../src/core/index.js';
import { sheltered } from '../../src/core/options/logger.js';

/** A logger whose methods all call `log`. */
const every = (log: (fields: object, text: string) => unknown): Logger => ({
  debug: log,
  info: log,
  warn: log,
  error: log,
});

describe('a sheltered logger', () => {
  for (const [what, broken] of [
    [
      'throws',
      () => {
        throw new Error('full disk');
      },
    ],
    ['rejects', () => Promise.reject(new Error('full disk'))],
  ] as const) {
    it(`a logger that ${what} is reported once, and its lines are kept`, async () => {
      const lines: string[] = [];
      const log = sheltered(
        every(broken),
        every((_fields, text) => lines.push(text)),
      );
      log.warn({}, 'one');
      log.error({}, 'two');
      await new Promise(setImmediate);
      assert.deepEqual(lines, ['the logger failed: full disk', 'one', 'two']);
    });
  }

  it('a logger is called as a method of the program’s own object', () => {
    const lines: string[] = [];
    const own = {
      lines,
      ...every(() => {}),
      warn(_fields: object, text: string): void {
        this.lines.push(text);
      },
    };
    sheltered(own, every(assert.fail)).warn({}, 'one');
    assert.deepEqual(lines, ['one']);
  });
});
