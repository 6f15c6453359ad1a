import assert from 'node:assert/strict';
import { FrameWriter } from '../../src/tui/term/frame-writer.js';

const size = { columns: 10, rows: 3 };

describe('the frame writer', () => {
  it('writes what has changed and nothing else', () => {
    const written: string[] = [];
    const writer = new FrameWriter((text) => written.push(text));
    writer.show('one\ntwo\nthree', size);
    writer.show('one\nTWO\nthree', size);
    writer.show('one\nTWO\nthree', size);
    assert.equal(written.length, 2);
    assert.equal(written[1], '\u001b[?2026h\u001b[2;1H\u001b[0m\u001b[2KTWO\u001b[0m\u001b[?2026l');
  });

  it('erases lines that a shorter frame no longer has', () => {
    const written: string[] = [];
    const writer = new FrameWriter((text) => written.push(text));
    writer.show('one\ntwo', size);
    writer.show('one', size);
    assert.ok(written[1]?.includes('\u001b[2;1H'));
    assert.ok(!written[1]?.includes('two'));
  });

  it('never writes below the last row, never a line feed, and starts over after a resize', () => {
    const written: string[] = [];
    const writer = new FrameWriter((text) => written.push(text));
    writer.show('1\n2\n3\n4\n5', size);
    writer.show('1\n2\n3', { columns: 11, rows: 3 });
    assert.ok(!written.join('').includes('\n'));
    assert.ok(!written.join('').includes('4'));
    assert.ok(written[1]?.includes('\u001b[2J'));
  });
});
