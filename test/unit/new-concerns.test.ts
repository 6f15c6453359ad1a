import assert from 'node:assert/strict';
import type { StreamConfig } from 'nats';
import { ALL_USES, type Concern } from '../../src/core/nats/client/concern.js';
import { newConcerns } from '../../src/core/nats/stream/new-concerns.js';

const concern = (message: string, uses = ALL_USES): Concern => ({
  ...{ severity: 'warning', setting: 's', message, uses },
});

describe('the concerns that appear while a member runs', () => {
  it('a concern is told once, and again only if it was gone meanwhile', () => {
    let present: Concern[] = [concern('old')];
    const told: string[] = [];
    const look = newConcerns(
      present,
      () => present,
      ({ message }) => told.push(message),
    );
    const config = {} as StreamConfig;
    look(config);
    present = [concern('old'), concern('new'), concern('publishers only', ['publish'])];
    look(config);
    look(config);
    assert.deepEqual(told, ['new']);
    present = [concern('new')];
    look(config);
    present = [concern('old'), concern('new')];
    look(config);
    assert.deepEqual(told, ['new', 'old']);
  });
});
