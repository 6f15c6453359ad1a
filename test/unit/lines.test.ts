import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type LineOptions, LineSource } from '../../src/cli/publish/line-source.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import type { OutgoingMessage } from '../../src/core/publisher/types.js';

const text = (message: OutgoingMessage) => Buffer.from(message.data).toString();

function sourceOf(chunks: readonly (string | Uint8Array)[], options: Partial<LineOptions> = {}): LineSource {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return new LineSource(stream, { onBadLine: 'stop', name: 'stdin', ...options });
}

async function all(source: LineSource): Promise<OutgoingMessage[]> {
  const messages: OutgoingMessage[] = [];
  for (let next = await source.next(); next; next = await source.next()) messages.push(next);
  return messages;
}

describe('LineSource', () => {
  it('a line source gives the same lines for any chunks of bytes', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !/[\r\n]/.test(value));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.nat(60)),
        fc.boolean(),
        async (lines, cuts, end) => {
          const bytes = Buffer.from(lines.join('\n') + (end ? '\n' : ''));
          const places = [
            0,
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
          const found = (await all(sourceOf(chunks))).map(text);
          assert.deepEqual(
            found,
            lines.filter((value) => value !== ''),
          );
        },
      ),
    );
  });

  it('a line source drops carriage returns and blank lines, and keeps the last line without a newline', async () => {
    assert.deepEqual((await all(sourceOf(['a\r\n\r\n\nb b\r', '\nc']))).map(text), ['a', 'b b', 'c']);
  });

  it('a line source takes keys from JSON, as text or number, at any depth', async () => {
    const lines = '{"user":{"id":"u1"}}\n{"user":{"id":42}}\n{"user":{"id":"x"},"a":[1]}';
    const messages = await all(sourceOf([lines], { keyField: 'user.id' }));
    assert.deepEqual(
      messages.map(({ key }) => key),
      ['u1', '42', 'x'],
    );
    assert.equal(text(messages[0] ?? { data: '' }), '{"user":{"id":"u1"}}');
  });

  it('a line source stops at a bad line, and its error names the line', async () => {
    const bad = [
      '{"user":',
      '[]',
      '{"user":null}',
      '{"user":{"id":true}}',
      '{"user":{"id":""}}',
      '{"user":{"id":"a\\nb"}}',
      '7',
    ];
    for (const line of bad) {
      const source = sourceOf(['{"user":{"id":1}}\n\n', `${line}\n`], { keyField: 'user.id' });
      await assert.rejects(
        () => all(source),
        (error) =>
          error instanceof NatspocError &&
          error.code === 'usage' &&
          error.message.startsWith('Line 3 of stdin '),
        line,
      );
    }
  });

  it('a line source skips and counts bad lines if requested', async () => {
    const source = sourceOf(['{"k":1}\n{"k"\n{}\n{"k":2}'], { keyField: 'k', onBadLine: 'skip' });
    assert.deepEqual(
      (await all(source)).map(({ key }) => key),
      ['1', '2'],
    );
    assert.equal(source.skipped, 2);
  });

  it('a line source does not read ahead while no line is requested', async () => {
    let read = 0;
    const stream = new Readable({
      highWaterMark: 16,
      read() {
        read++;
        this.push(read > 1_000 ? null : 'line\n');
      },
    });
    const source = new LineSource(stream, { onBadLine: 'stop', name: 'stdin' });
    await source.next();
    assert.ok(read < 20, String(read));
    source.close();
  });

  it('a line source names the input that could not be read', async () => {
    const stream = new Readable({
      read() {
        this.destroy(new Error('disk on fire'));
      },
    });
    const source = new LineSource(stream, { onBadLine: 'stop', name: 'events.ndjson' });
    await assert.rejects(async () => source.next(), /Cannot read events.ndjson: disk on fire/);
  });
});
