import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import { connectOptions } from '../../src/core/nats/client/connect-options.js';

describe('an attempt to connect', () => {
  const timeoutOf = (timeoutMs: string): number | undefined =>
    connectOptions(loadConfig({ flags: { timeoutMs }, env: {} }), 'test').timeout;

  it('takes no longer than 10 s, however patient a publisher is', () => {
    assert.equal(timeoutOf('2m'), 10_000);
  });

  it('takes no longer than people want to wait', () => {
    assert.equal(timeoutOf('3s'), 3_000);
  });
});
