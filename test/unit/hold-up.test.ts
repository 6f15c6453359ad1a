import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import { API_ERRORS, toNatspocError } from '../../src/core/nats/client/outcome.js';
import { describeHoldUp, holdUp, remedyOf } from '../../src/core/protocol/hold-up.js';

describe('the hold-up of a partition that cannot be read', () => {
  const error = new NatsError('maximum consumers limit reached', '400');
  error.api_error = { code: 400, err_code: API_ERRORS.consumersExceeded, description: error.message };
  const stream = 'S'.repeat(64);

  it('the remedy for a limit of consumers is not cut off, even for a long name of the stream', () => {
    const reason = toNatspocError(error, `read partition 255 of ${stream}`).message;
    const held = holdUp({ why: 'starting', reason, forMs: 0 });
    assert.match(describeHoldUp(held), /: raise max_consumers of the stream or of the account$/);
  });

  it('the advice does not say that a retry removes the cause', () => {
    const held = holdUp({ why: 'starting', reason: 'full', forMs: 0 });
    assert.equal(remedyOf(3, held), 'the member tries again by itself, or at once after "leases retry 3"');
  });
});
