import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { LineWriter } from '../../src/cli/consume/line-writer.js';
import { StopConsuming } from '../../src/core/member/partition/handler.js';
import { settle } from '../support/fake-partition.js';

/** A stream whose writes stay unfinished until a test finishes them, one by one. */
class SlowStream extends Writable {
  readonly chunks: string[] = [];
  #finish: ((error?: Error) => void)[] = [];

  constructor(highWaterMark = 1_000_000) {
    super({ highWaterMark, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, callback: (error?: Error) => void): void {
    this.chunks.push(String(chunk));
    this.#finish.push(callback);
  }

  async finish(error?: Error): Promise<void> {
    this.#finish.shift()?.(error);
    await settle();
  }
}

/** The state of a promise. */
function follow(promise: Promise<void> | undefined): { state: string } {
  const seen = { state: promise ? 'pending' : 'none' };
  promise?.then(
    () => {
      seen.state = 'resolved';
    },
    (error: unknown) => {
      seen.state = error instanceof StopConsuming ? 'stopped' : 'rejected';
    },
  );
  return seen;
}

describe('a line writer', () => {
  it('lines of the same tick are combined into one write', async () => {
    const stream = new SlowStream();
    const writer = new LineWriter(stream);
    assert.equal(writer.write('a'), undefined);
    assert.equal(writer.write('b'), undefined);
    await settle();
    assert.deepEqual(stream.chunks, ['a\nb\n']);
  });

  it('a line writer writes when its buffer is full', () => {
    const stream = new SlowStream();
    const writer = new LineWriter(stream);
    writer.write('x'.repeat(70_000));
    assert.equal(stream.chunks.length, 1, 'written at once');
  });

  it('bytes are written unchanged, and lines and bytes keep their order', async () => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, callback) => {
        chunks.push(chunk);
        callback();
      },
    });
    const writer = new LineWriter(stream);
    writer.write('a');
    writer.writeBytes(Uint8Array.of(0x1f, 0x8b, 0xff, 0x00));
    writer.write('b');
    await writer.written();
    assert.equal(Buffer.concat(chunks).toString('hex'), '610a1f8bff00620a');
  });

  it('a line writer reports when all lines before a call are written, regardless of later lines', async () => {
    const stream = new SlowStream();
    const writer = new LineWriter(stream);
    writer.write('a');
    const first = follow(writer.written());
    writer.write('b');
    const second = follow(writer.written());
    await settle();
    assert.deepEqual([first.state, second.state], ['pending', 'pending']);
    await stream.finish();
    assert.deepEqual([first.state, second.state], ['resolved', 'pending']);
    await stream.finish();
    assert.equal(second.state, 'resolved');
    assert.equal(writer.written(), undefined, 'nothing to wait for');
  });

  it('a line writer applies back-pressure while the reader is slow', async () => {
    const stream = new SlowStream(10);
    const writer = new LineWriter(stream);
    writer.write('x'.repeat(70_000));
    const held = follow(writer.write('y'));
    await settle();
    assert.equal(held.state, 'pending');
    await stream.finish();
    await stream.finish();
    await stream.finish();
    assert.equal(held.state, 'resolved');
  });

  it('all line writers stop when the reader is gone', async () => {
    const stream = new SlowStream(10);
    const writer = new LineWriter(stream);
    writer.write('x'.repeat(70_000));
    const held = follow(writer.write('y'));
    const written = follow(writer.written());
    await stream.finish(new Error('EPIPE'));
    assert.deepEqual([held.state, written.state], ['stopped', 'stopped']);
    assert.equal(writer.isClosed, true);
    assert.throws(() => writer.write('z'), StopConsuming);
    const later = follow(writer.written());
    await settle();
    assert.equal(later.state, 'stopped');
  });
});
