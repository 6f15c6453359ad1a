import assert from 'node:assert/strict';
import { redrive } from '../../src/core/admin/redrive.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { storeOnce } from '../../src/core/nats/jetstream/store-once.js';
import type { KeepingStream, StoredCopy, StoreOutcome } from '../../src/core/ports/keeping-stream.js';
import {
  type FoundLetter,
  isSameLetter,
  letterHeaders,
  letterId,
  ownHeaders,
  readLetter,
} from '../../src/core/protocol/dead-letter.js';
import {
  cut,
  decodeOriginal,
  encodeOriginal,
  type Original,
} from '../../src/core/protocol/dead-letter-original.js';
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
  const headers = { ...ownHeaders(letter), ...letterHeaders(letter, { ...ORIGIN, group }, 0) };
  return { sequence, data: message.data, headers, letter };
}

describe('a dead letter', () => {
  it('a dead letter contains its origin, its error, key, payload and headers', () => {
    const { headers, letter } = stored(1);
    assert.equal(headers['X-Own'], 'mine');
    assert.equal(headers['Natspoc-Key'], 'key');
    assert.equal(headers['Nats-Msg-Id'], undefined, 'the letter gets its own id');
    assert.equal(letterId(letter, ORIGIN), 'S.g.101.0', 'every owner gives the letter the same id');
    const later = { ...letter, message: { ...letter.message, timestampMs: 5.25 } };
    assert.equal(
      letterId(later, ORIGIN),
      'S.g.101.5.25',
      'another message of this sequence, in a recreated stream, has another id',
    );
    assert.equal(headers['Nats-Expected-Stream'], undefined, 'the header was meant for the first stream');
    assert.deepEqual(readLetter(stored(1), 'S'), {
      sequence: 1,
      data: new TextEncoder().encode('payload 1'),
      key: 'key',
      headers: { 'X-Own': 'mine' },
      partition: 2,
      subject: 'e.p.0',
      from: 101,
      group: 'g',
      attempts: 3,
      error: 'bad',
      time: '1970-01-01T00:00:00.000Z',
      parts: [],
    });
  });

  it('a dead letter is the same for any member and number of attempts, and differs from other letters', () => {
    const one = stored(1);
    const again = {
      ...one,
      headers: { ...one.headers, 'Natspoc-Dead-Attempts': '9', 'Natspoc-Dead-Error': 'x' },
    };
    assert.ok(isSameLetter(one, again, 'S'));
    const headers = { ...one.headers, 'X-Own': 'other' };
    const others = [
      stored(2),
      stored(1, { group: 'other' }),
      { ...one, headers },
      { ...one, data: new Uint8Array(1) },
    ];
    for (const other of others) assert.ok(!isSameLetter(one, other, 'S'));
  });

  it('a dead letter that does not fit is stored in parts, and read back complete', () => {
    const original: Original = {
      headers: { 'Natspoc-Key': 'k', 'My Header': 'a\rb', __proto__x: '' },
      data: new Uint8Array([10, 0, 255, 10]),
    };
    for (const size of [1, 7, 1_000]) {
      const found = decodeOriginal(cut(encodeOriginal(original), size));
      assert.deepEqual([found?.headers, [...(found?.data ?? [])]], [original.headers, [...original.data]]);
    }
    for (const broken of ['', '{}', '[1', '{"a":1}\n', 'null\n']) {
      assert.equal(decodeOriginal([new TextEncoder().encode(broken)]), undefined, broken);
    }
  });

  it('a dead letter carries any error as one line of a header', () => {
    const error = readLetter(
      stored(1, { error: `a\r\nInjected: yes ünïcode\u0000 ${'x'.repeat(2_000)}` }),
      'S',
    )?.error;
    assert.match(error ?? '', /^a Injected: yes ünïcode x+\.\.\.$/);
    assert.equal(Buffer.byteLength(error ?? ''), 1_000);
    assert.equal(readLetter(stored(1, { error: '' }), 'S')?.error, '-');
  });

  it('a dead letter keeps every character of an error, and cuts a long error between two characters', () => {
    const told = (error: string) => readLetter(stored(1, { error }), 'S')?.error ?? '';
    const text = '接続に失敗しました: Zürich 😀';
    assert.equal(told(text), text);
    for (let shift = 0; shift < 4; shift++) {
      const cut = told('x'.repeat(shift) + '😀'.repeat(400));
      assert.match(cut, /^x*(😀)+\.\.\.$/u);
      assert.ok(Buffer.byteLength(cut) > 990 && Buffer.byteLength(cut) <= 1_000);
    }
  });

  it('a foreign message is not recognised as a dead letter', () => {
    assert.equal(readLetter({ sequence: 1, data: new Uint8Array(), headers: {} }, 'S'), undefined);
    assert.equal(readLetter(stored(1), 'OTHER'), undefined);
    const { headers, ...rest } = stored(1);
    const broken = { ...rest, headers: { ...headers, 'Natspoc-Dead-Partition': 'x' } };
    assert.equal(readLetter(broken, 'S'), undefined);
  });
});

describe('storing once', () => {
  /** A stream with known ids and stored messages. Its answers can be lost. */
  function keeping(known: Record<string, number> = {}) {
    const held = new Map<number, StoredCopy>();
    const ids = new Map(Object.entries(known));
    const lost: string[] = [];
    const stream: KeepingStream = {
      publish: async (id) => {
        const before = ids.get(id);
        const sequence = before ?? 100 + ids.size;
        ids.set(id, sequence);
        if (before === undefined)
          held.set(sequence, { subject: 'd', headers: {}, data: new TextEncoder().encode('m') });
        if (lost.includes(id)) {
          lost.splice(lost.indexOf(id), 1);
          return { kind: 'unknown' };
        }
        return { kind: 'stored', sequence, duplicate: before !== undefined };
      },
      read: async (sequence) => {
        const message = held.get(sequence);
        return message ? { kind: 'found', message } : { kind: 'missing' };
      },
    };
    const store = () => storeOnce(stream, 'id', ({ data }) => new TextDecoder().decode(data) === 'm');
    return { held, lost, store };
  }

  it('a duplicate is accepted as stored only if the message exists', async () => {
    const gone = keeping({ id: 7 });
    assert.deepEqual(await gone.store(), { kind: 'ok', sequence: 101 });
    assert.equal(gone.held.size, 1);
    const other = keeping({ id: 7, 'id.7': 8 });
    other.held.set(7, { subject: 'd', headers: {}, data: new TextEncoder().encode('of somebody else') });
    assert.deepEqual(await other.store(), { kind: 'ok', sequence: 102 });
  });

  it('a message is stored once, even if answers are lost', async () => {
    for (const first of ['id', 'id.7']) {
      const { held, lost, store } = keeping(first === 'id' ? {} : { id: 7 });
      lost.push(first);
      assert.equal((await store()).kind, 'unknown');
      assert.equal((await store()).kind, 'ok');
      assert.equal((await store()).kind, 'ok');
      assert.equal(held.size, 1);
    }
  });
});

describe('redriving', () => {
  const refuse = (reason: string): StoreOutcome => ({
    kind: 'failed',
    error: new NatspocError('storage-failed', reason),
  });

  /** A store of letters, and a record of all calls. */
  function bench(letters: { sequence: number; data: Uint8Array; headers: Record<string, string> }[]) {
    const log: string[] = [];
    const kept: string[] = [];
    const put: [number, Record<string, string>][] = [];
    const box = {
      async *letters(foreign: (sequence: number) => void) {
        for (const each of letters) {
          const letter = readLetter(each, 'S');
          if (letter) yield letter;
          else foreign(each.sequence);
        }
      },
      original: async ({ key, headers, data }: FoundLetter): Promise<Original | undefined> => ({
        headers: { 'Natspoc-Key': key ?? '', ...headers },
        data,
      }),
      remove: async (sequence: number) => void log.push(`remove ${sequence}`),
    };
    const answers: StoreOutcome[] = [];
    const target = {
      store: async (
        { partition }: { partition: number },
        { headers }: Original,
        id: string,
      ): Promise<StoreOutcome> => {
        put.push([partition, { ...headers }]);
        log.push(`store ${id}`);
        return answers.shift() ?? { kind: 'ok', sequence: 1_000 + put.length };
      },
    };
    const onKept = ({ sequence }: FoundLetter, reason: string) => void kept.push(`${sequence}: ${reason}`);
    const place = async ({ partition }: FoundLetter): Promise<number> => partition;
    return { options: { box, target, partitions: 8, place, onKept }, log, kept, put, answers };
  }

  it('redriving publishes letters to their partitions, oldest first, and deletes the confirmed letters', async () => {
    const { options, put, log } = bench([stored(1), stored(5, { partition: 3 })]);
    assert.deepEqual(await redrive(options), { redriven: 2, left: 0, kept: 0, missing: [] });
    const headers = { 'Natspoc-Key': 'key', 'X-Own': 'mine', 'Natspoc-Redriven': '1' };
    assert.deepEqual(put, [
      [2, headers],
      [3, headers],
    ]);
    const at = '1970-01-01T00:00:00.000Z';
    assert.deepEqual(log.slice(0, 2), [`store redrive.g.101.1.${at}`, `store redrive.g.105.5.${at}`]);
    assert.deepEqual(log.slice(2), ['remove 1', 'remove 5']);
  });

  it('redriving keeps the order of letters within a partition, even if one letter takes a long time', async () => {
    const { options, log } = bench([stored(1), stored(2)]);
    const original = options.box.original;
    options.box.original = async (letter) => {
      if (letter.sequence === 1) await new Promise((resolve) => setImmediate(resolve));
      return original(letter);
    };
    await redrive(options);
    assert.deepEqual(
      log.map((line) => line.split('.')[3] ?? line),
      ['1', 'remove 1', '2', 'remove 2'],
    );
  });

  it('redriving puts letters into the partitions to which their messages belong now, in order', async () => {
    const { options, put, log } = bench([stored(1), stored(2, { partition: 9 })]);
    const place = async () => 5;
    const original = options.box.original;
    options.box.original = async (letter) => {
      if (letter.sequence === 1) await new Promise((resolve) => setImmediate(resolve));
      return original(letter);
    };
    assert.deepEqual(await redrive({ ...options, place }), { redriven: 2, left: 0, kept: 0, missing: [] });
    assert.deepEqual(
      put.map(([partition]) => partition),
      [5, 5],
    );
    assert.deepEqual(
      log.map((line) => line.split('.')[3] ?? line),
      ['1', 'remove 1', '2', 'remove 2'],
    );
  });

  it('redriving names the requested letters that do not exist, and not the letters that it leaves', async () => {
    const { options } = bench([stored(1), stored(2), stored(3, { group: 'other' })]);
    const only = new Set([1, 2, 3, 4]);
    assert.deepEqual(await redrive({ ...options, only, group: 'g', count: 1 }), {
      ...{ redriven: 1, left: 2, kept: 0 },
      missing: [3, 4],
    });
    const stopped = await redrive({ ...options, only, signal: AbortSignal.abort() });
    assert.deepEqual([stopped.left, stopped.missing], [3, [4]]);
  });

  it('redriving leaves letters of other groups, and messages that are not letters', async () => {
    const foreign = { sequence: 3, data: new Uint8Array(), headers: {} };
    const { options, log } = bench([stored(1, { group: 'other' }), foreign, stored(4)]);
    assert.deepEqual(await redrive({ ...options, group: 'g' }), {
      redriven: 1,
      left: 2,
      kept: 0,
      missing: [],
    });
    assert.deepEqual(log.slice(1), ['remove 4']);
  });

  it('redriving stops at the requested number', async () => {
    const { options, put } = bench([stored(1), stored(2), stored(3)]);
    assert.deepEqual(await redrive({ ...options, count: 2 }), { redriven: 2, left: 1, kept: 0, missing: [] });
    assert.equal(put.length, 2);
  });

  it('redriving puts back the requested number of letters, even if letters in between cannot be put back', async () => {
    const { options, log } = bench([stored(1, { partition: 9 }), stored(2), stored(3), stored(4)]);
    assert.deepEqual(await redrive({ ...options, count: 2 }), { redriven: 2, left: 1, kept: 1, missing: [] });
    assert.deepEqual(
      log.filter((line) => line.startsWith('remove')),
      ['remove 2', 'remove 3'],
    );
  });

  it('redriving that is aborted puts back no further letter, and counts the letters that are left', async () => {
    const { options, put } = bench([stored(1), stored(2), stored(3)]);
    const before = await redrive({ ...options, signal: AbortSignal.abort() });
    assert.deepEqual(before, { redriven: 0, left: 3, kept: 0, missing: [] });
    const stop = new AbortController();
    const onRedriven = () => stop.abort();
    const between = await redrive({ ...options, signal: stop.signal, onRedriven });
    assert.deepEqual(between, { redriven: 1, left: 2, kept: 0, missing: [] });
    assert.equal(put.length, 1);
  });

  it('redriving skips letters that cannot be put back, names them, and does not delete them', async () => {
    const { options, log, kept, answers } = bench([
      stored(1, { partition: 9 }),
      stored(2),
      stored(3),
      stored(4),
    ]);
    answers.push(refuse('message size exceeds maximum allowed.'));
    const original = options.box.original;
    options.box.original = async (letter) => (letter.sequence === 3 ? undefined : original(letter));
    assert.deepEqual(await redrive(options), { redriven: 1, left: 0, kept: 3, missing: [] });
    assert.deepEqual(kept.sort(), [
      '1: it belongs to partition 9, but the stream has only 8',
      '2: message size exceeds maximum allowed',
      '3: a part of its message cannot be read',
    ]);
    assert.deepEqual(
      log.filter((line) => line.startsWith('remove')),
      ['remove 4'],
    );
  });

  it('redriving tries again if an answer is missing, and ends if no answer ever arrives', async () => {
    const lost = bench([stored(1)]);
    lost.answers.push({ kind: 'unknown' });
    assert.equal((await redrive(lost.options)).redriven, 1);
    const silent = bench([stored(1)]);
    silent.answers.push(...Array.from({ length: 3 }, () => ({ kind: 'unknown' as const })));
    await assert.rejects(redrive(silent.options), { code: 'unreachable' });
    assert.ok(!silent.log.includes('remove 1'));
  });
});
