import assert from 'node:assert/strict';
import { InvalidMessage } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

describe('the judge of a member', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('the judge chooses for each failed message whether it becomes a dead letter, is skipped or is retried', async () => {
    await stage.publish(
      ['bad', 'dull', 'late', 'good'].map((text): [string, string] => ['a', text]),
      1,
    );
    const handled: string[] = [];
    const attempts = new Map<string, number>();
    const member = await stage.join(
      {
        handler: ({ data }) => {
          const text = Buffer.from(data).toString();
          attempts.set(text, (attempts.get(text) ?? 0) + 1);
          if (text === 'bad') throw new InvalidMessage('no order');
          if (text === 'dull') throw new Error('dull');
          if (text === 'late' && attempts.get(text) === 1) throw new Error('late');
          handled.push(text);
        },
        judge: ({ error, attempt, partition }) => {
          assert.deepEqual([attempt, partition], [1, 0]);
          if (error instanceof InvalidMessage) return 'dead-letter';
          return String(error).includes('dull') ? 'skip' : { retryInMs: 20 };
        },
      },
      1,
    );
    const manager = await stage.connection.jetstreamManager();
    await until('all messages are settled', () => member.counters.handled === 4);
    assert.deepEqual(handled, ['late', 'good']);
    assert.deepEqual(Object.fromEntries(attempts), { bad: 1, dull: 1, late: 2, good: 1 });
    assert.deepEqual(member.counters, { ...member.counters, failed: 3, deadLettered: 1, skipped: 1 });
    const letter = await manager.streams.getMessage(`${stage.stream}_dead`, { seq: 1 });
    assert.equal(letter.header.get('Natspoc-Dead-Error'), 'no order');
  });

  it('no stream of dead letters is created before the judge asks for a dead letter', async () => {
    await stage.publish([['a', 'x']], 1);
    const member = await stage.join({ handler: () => {}, judge: () => 'dead-letter' }, 1);
    await until('the message is handled', () => member.counters.handled === 1);
    const manager = await stage.connection.jetstreamManager();
    await assert.rejects(manager.streams.info(`${stage.stream}_dead`), /stream not found/);
  });
});
