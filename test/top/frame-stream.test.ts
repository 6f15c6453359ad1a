import assert from 'node:assert/strict';
import { FrameStream } from '../../src/top/term/frame-stream.js';
import { LineTexts } from '../../src/top/term/line-texts.js';

describe('the terminal output of a frame', () => {
  const size = { columns: 20, rows: 3 };
  const open = () => {
    const texts = new LineTexts({ colors: true });
    const sent: string[] = [];
    const stream = new FrameStream(
      (bytes) => sent.push(bytes),
      texts,
      () => size,
    );
    return { texts, stream, sent };
  };

  it('a frame writes each changed row at its place, in one synchronised update', () => {
    const { stream, sent } = open();
    stream.write('one\ntwo\nthree');
    stream.write('one\n2\nthree');
    assert.equal(sent[1], '\u001b[?2026h\u001b[2;1H\u001b[0m\u001b[2K2\u001b[0m\u001b[?2026l');
    stream.write('one\n2\nthree');
    assert.equal(sent.length, 2, 'an unchanged frame writes nothing');
  });

  it('a frame does not clear the screen, scroll, or write below the last row', () => {
    const { stream, sent } = open();
    stream.write('a\nb\nc\nd\ne');
    stream.write('a\nb');
    assert.equal(sent.length, 2);
    for (const bytes of sent) {
      assert.ok(!bytes.includes('\u001b[2J'));
      assert.ok(!bytes.includes('\n'));
      assert.ok(!bytes.includes('\u001b[4;'));
    }
    assert.ok(
      sent[1]?.includes('\u001b[3;1H\u001b[0m\u001b[2K\u001b[0m'),
      'rows that no longer exist are erased',
    );
  });

  it('a frame is complete after a change of size and on request', () => {
    const { stream, sent } = open();
    let resizes = 0;
    stream.on('resize', () => resizes++);
    stream.write('a\nb\nc');
    stream.resize();
    stream.write('a\nb\nc');
    assert.equal(resizes, 1);
    assert.ok(sent[1]?.includes('\u001b[2J'));
    assert.equal(sent[2], sent[0]);
    stream.redraw();
    assert.ok(sent[3]?.includes('\u001b[2J'));
    assert.equal(sent[4], sent[0]);
  });

  it('a frame has the texts of lines in the places that Ink computed', () => {
    const { texts, stream, sent } = open();
    const [left, right] = [texts.keep('\u001b[1m漢字\u001b[22m', 4), texts.keep('right', 5)];
    stream.write(`${left}        ${right}`);
    assert.ok(sent[0]?.includes('\u001b[2K\u001b[1m漢字\u001b[22m     right\u001b[0m'));
  });

  it('a frame has bold, dim and inverse but no colours if colours are off', () => {
    const texts = new LineTexts({ colors: false });
    const kept = texts.keep('\u001b[31m\u001b[1m\u001b[7mred\u001b[27m\u001b[22m\u001b[39m', 3);
    assert.deepEqual(texts.fill(`${kept}  \u001b[96mcyan\u001b[39m`), [
      '\u001b[1m\u001b[7mred\u001b[27m\u001b[22mcyan',
    ]);
  });
});
