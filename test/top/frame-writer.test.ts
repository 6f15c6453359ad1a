import assert from 'node:assert/strict';
import { paint } from '../../src/top/term/frame-writer.js';

describe('what is written to the terminal', () => {
  it('is each line at its place, erased no further than it reaches', () => {
    const patch = { row: 2, column: 40, width: 20, text: 'text' };
    assert.equal(
      paint([patch], false),
      '\u001b[?2026h\u001b[3;41H\u001b[0m\u001b[20Xtext\u001b[0m\u001b[?2026l',
    );
  });

  it('clears the screen only when asked, and never scrolls', () => {
    const patch = { row: 0, column: 0, width: 10, text: 'x' };
    assert.ok(paint([patch, patch], true).includes('\u001b[2J'));
    assert.ok(!paint([patch, patch], false).includes('\u001b[2J'));
    assert.ok(!paint([patch, patch], true).includes('\n'));
  });
});
