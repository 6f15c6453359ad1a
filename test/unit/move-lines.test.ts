import assert from 'node:assert/strict';
import { MoveLines } from '../../src/cli/consume/move-lines.js';
import { logLine } from '../../src/cli/log-line.js';
import type { Report } from '../../src/core/protocol/events.js';
import { takenOver } from '../support/cli.js';
import { ManualClock } from '../support/manual-clock.js';

const acquired = (partition: number, change: object = {}): Report => ({
  type: 'acquired',
  partition,
  epoch: 10 + partition,
  from: null,
  reason: 'claim',
  again: false,
  tookMs: 100 + partition,
  ...change,
});

describe('the moves of a rebalance', () => {
  function lines(): { moves: MoveLines; clock: ManualClock; written: [string, object][] } {
    const clock = new ManualClock();
    const written: [string, object][] = [];
    return { clock, written, moves: new MoveLines(clock, (...line) => written.push(line)) };
  }

  it('the moves of a rebalance are one line for each kind, with ranges of partitions', () => {
    const { moves, clock, written } = lines();
    for (const partition of [0, 1, 2, 3, 7]) assert.ok(moves.add(acquired(partition)));
    moves.add(acquired(5, { reason: 'handover', from: 'b' }));
    assert.equal(written.length, 0);
    clock.advance(200);
    assert.deepEqual(
      written.map(([line]) => line),
      ['claimed p0-p3 p7 in 100 ms to 107 ms', 'acquired p5 from b at epoch 15 in 105 ms'],
    );
    assert.deepEqual(written[0]?.[1], {
      level: 'info',
      event: 'acquired',
      from: null,
      reason: 'claim',
      again: false,
      partitions: [0, 1, 2, 3, 7],
      epochs: [10, 11, 12, 13, 17],
      tookMs: 107,
    });
    assert.deepEqual(takenOver(written[0]?.[0] ?? ''), [0, 1, 2, 3, 7]);
  });

  it('the moves stay in order if a partition is claimed, lost and claimed again', () => {
    const { moves, written } = lines();
    moves.add(acquired(0));
    moves.add({ type: 'lost', partition: 0, epoch: 10, reason: 'fenced' });
    moves.add(acquired(0));
    moves.flush();
    assert.deepEqual(
      written.map(([line]) => line.split(' ', 2).join(' ')),
      ['claimed p0', 'lost p0:', 'claimed p0'],
    );
  });

  it('the moves do not hold back lines of other kinds', () => {
    assert.equal(lines().moves.add({ type: 'expired' }), false);
  });
});

describe('a line of a log', () => {
  it('a line of a log in JSON has a time, a level, the text and its fields', () => {
    const { time, ...line } = JSON.parse(
      logLine('json', 'Warning: a\u001bb', { error: new Error('no'), partition: 1 }),
    );
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.deepEqual(line, { level: 'warn', message: 'a\u001bb', error: 'no', partition: 1 });
  });

  it('a line of a log as text is the text', () => {
    assert.equal(logLine('text', 'warning: lost p0', { partition: 0 }), 'warning: lost p0\n');
  });
});
