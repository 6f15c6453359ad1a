import assert from 'node:assert/strict';
import { Config } from '@oclif/core';
import LeasesResize from '../../src/commands/leases/resize.js';

class Probe extends LeasesResize {
  timeoutMs(flags: Readonly<Record<string, unknown>>): number {
    return this.loadSettings(flags).timeoutMs;
  }
}

describe('the patience of a resize', () => {
  it('a resize outlasts an election, unless a timeout is given', async () => {
    const probe = new Probe([], await Config.load(process.cwd()));
    assert.equal(probe.timeoutMs({}), 15_000);
    assert.equal(probe.timeoutMs({ timeout: '2s' }), 2_000);
  });
});
