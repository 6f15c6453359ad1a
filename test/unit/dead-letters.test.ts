import assert from 'node:assert/strict';
import { letterHeaders, readLetter } from '../../src/core/dead/letter.js';
import { redrive } from '../../src/core/dead/redrive.js';
import { NatspocError } from '../../src/core/errors.js';
import type { OutgoingMessage } from '../../src/core/publish/types.js';
import { fakeMessage } from '../support/fake-partition.js';

const ORIGIN = { stream: 'S', group: 'g' };

function stored(sequence: number, options: { partition?: number; group?: string; error?: string } = {}) {
  const { partition = 2, group = 'g', error = 'bad' } = options;
  const message = {
    ...fakeMessage(100 + sequence, 'key', `payload ${sequence}`),
    headers: () => ({
      'Natspoc-Key': 'key',
      'X-Own': 'mine',
      'Nats-Msg-Id': 'first',
      'Nats-Expected-Stream': 'S',
    }),
  };
  const letter = { message, partition, epoch: 7, attempts: 3, error };
  return { sequence, data: message.data, headers: letterHeaders(letter, { ...ORIGIN, group }, 0) };
}

describe('a dead letter', () => {
  it('says where it comes from and why, and keeps key, payload and headers', () => {
    const { headers } = stored(1);
    assert.equal(headers['X-Own'], 'mine');
    assert.equal(headers['Natspoc-Key'], 'key');
    assert.equal(headers['Nats-Msg-Id'], 'S.g.101', 'its own, the same from every owner');
    assert.equal(headers['Nats-Expected-Stream'], undefined, 'meant for the first stream');
    assert.deepEqual(readLetter(stored(1), 'S'), {
      sequence: 1,
      data: new TextEncoder().encode('payload 1'),
      key: 'key',
      headers: { 'X-Own': 'mine' },
      partition: 2,
      from: 101,
      group: 'g',
      attempts: 3,
      error: 'bad',
      time: '1970-01-01T00:00:00.000Z',
    });
  });

  it('carries any error as one line of a header', () => {
    const error = readLetter(
      stored(1, { error: `a\r\nInjected: yes ünïcode\u0000 ${'x'.repeat(2_000)}` }),
      'S',
    )?.error;
    assert.ok(error !== undefined && error.length <= 500);
    assert.match(error, /^a Injected: yes n code x+\.\.\.$/);
    assert.equal(readLetter(stored(1, { error: '' }), 'S')?.error, '-');
  });

  it('is not what something else has put there', () => {
    assert.equal(readLetter({ sequence: 1, data: new Uint8Array(), headers: {} }, 'S'), undefined);
    assert.equal(readLetter(stored(1), 'OTHER'), undefined);
    const { headers, ...rest } = stored(1);
    const broken = { ...rest, headers: { ...headers, 'Natspoc-Dead-Partition': 'x' } };
    assert.equal(readLetter(broken, 'S'), undefined);
  });
});

describe('redriving', () => {
  /** A box of letters, and everything that happens. */
  function bench(letters: ReturnType<typeof stored>[]) {
    const log: string[] = [];
    const published: OutgoingMessage[] = [];
    const box = {
      async *letters(foreign: (sequence: number) => void) {
        for (const each of letters) {
          const letter = readLetter(each, 'S');
          if (letter) yield letter;
          else foreign(each.sequence);
        }
      },
      remove: async (sequence: number) => void log.push(`remove ${sequence}`),
    };
    const publisher = {
      publish: async (message: OutgoingMessage) => {
        published.push(message);
        log.push(`publish ${message.id}`);
        return { partition: message.partition ?? -1, sequence: 1_000 + published.length, duplicate: false };
      },
    };
    return { box, publisher, published, log, partitions: 8 };
  }

  it('puts letters back to their partitions, oldest first, and deletes what is confirmed', async () => {
    const { published, log, ...options } = bench([stored(1), stored(5, { partition: 3 })]);
    assert.deepEqual(await redrive(options), { redriven: 2, left: 0 });
    assert.deepEqual(
      published.map(({ partition, key, headers }) => [partition, key, headers]),
      [
        [2, 'key', { 'X-Own': 'mine', 'Natspoc-Redriven': '1' }],
        [3, 'key', { 'X-Own': 'mine', 'Natspoc-Redriven': '1' }],
      ],
    );
    assert.deepEqual(log, ['publish redrive.g.101.1', 'publish redrive.g.105.5', 'remove 1', 'remove 5']);
  });

  it('leaves what belongs to others, and what is no letter', async () => {
    const foreign = { sequence: 3, data: new Uint8Array(), headers: {} };
    const { log, published, ...options } = bench([stored(1, { group: 'other' }), foreign, stored(4)]);
    assert.deepEqual(await redrive({ ...options, group: 'g' }), { redriven: 1, left: 2 });
    assert.deepEqual(log, ['publish redrive.g.104.4', 'remove 4']);
  });

  it('stops at the number asked for', async () => {
    const { log, published, ...options } = bench([stored(1), stored(2), stored(3)]);
    assert.deepEqual(await redrive({ ...options, count: 2 }), { redriven: 2, left: 0 });
    assert.equal(published.length, 2);
  });

  it('deletes nothing that was not confirmed', async () => {
    const { log, published, ...options } = bench([stored(1)]);
    const publisher = { publish: () => Promise.reject(new NatspocError('not-confirmed', 'full')) };
    await assert.rejects(redrive({ ...options, publisher }), /full/);
    assert.deepEqual(log, []);
  });

  it('refuses a partition that the stream does not have', async () => {
    const { log, published, ...options } = bench([stored(1, { partition: 9 })]);
    await assert.rejects(redrive(options), /is of partition 9; the stream has 8/);
    assert.deepEqual(log, []);
  });
});
