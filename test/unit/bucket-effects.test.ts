import assert from 'node:assert/strict';
import { BucketEffects, type EventWithoutNow } from '../../src/core/member/engine/bucket-effects.js';
import type { MemberSettings } from '../../src/core/member/engine/contract.js';
import type { Bucket, ReadOutcome } from '../../src/core/ports/index.js';
import { keys } from '../../src/core/protocol/keys.js';
import { ManualClock } from '../support/manual-clock.js';

describe('the reads of a member', () => {
  it('a proof of life counts as ended only if its deletion marker was read, not if the leader does not know the proof', async () => {
    const lookUp = async (proof: ReadOutcome): Promise<EventWithoutNow[]> => {
      const told: EventWithoutNow[] = [];
      const bucket = {
        read: async (key: string): Promise<ReadOutcome> =>
          key === keys.proof('g', 'X') ? proof : { kind: 'missing' },
      } as unknown as Bucket;
      const effects = new BucketEffects({ group: 'g' } as MemberSettings, {
        bucket,
        unjudged: bucket,
        clock: new ManualClock(),
        feed: (event) => told.push(event),
        fail: assert.fail,
      });
      await effects.lookUpSession('X');
      return told;
    };
    const event = (proof: number, ended: boolean): EventWithoutNow[] => [
      { type: 'session-looked-up', id: 'X', found: { kind: 'missing', proof, ended } },
    ];
    assert.deepEqual(await lookUp({ kind: 'missing' }), event(0, false));
    const marker = { key: keys.proof('g', 'X'), revision: 7, value: null };
    assert.deepEqual(await lookUp({ kind: 'found', entry: marker }), event(7, true));
  });
});
