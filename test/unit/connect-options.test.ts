import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import { connectOptions } from '../../src/core/nats/client/connect-options.js';

describe('an attempt to connect', () => {
  const timeoutOf = (timeoutMs: string): number | undefined =>
    connectOptions(loadConfig({ flags: { timeoutMs }, env: {} }), 'test').timeout;

  it('an attempt to connect takes at most 10 s, even with a longer timeout of the publisher', () => {
    assert.equal(timeoutOf('2m'), 10_000);
  });

  it('an attempt to connect takes at most the configured timeout', () => {
    assert.equal(timeoutOf('3s'), 3_000);
  });
});
