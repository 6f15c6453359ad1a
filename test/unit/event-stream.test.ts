import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsEventStream } from '../../src/core/nats/jetstream/event-stream.js';
import { layoutSubjects } from '../../src/core/protocol/layout.js';
import { settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

describe('the stream of a member', () => {
  /** A member's event stream. Its connection loses all requests about streams and readers. */
  function onLostRequests() {
    const clock = new ManualClock();
    const never = (): Promise<never> => new Promise(() => {});
    const manager = { getOptions: () => ({}), consumers: { info: never }, streams: { info: never } };
    const handles = { manager, clock, answerMs: 400, inboxPrefix: undefined } as unknown as NatsHandles;
    return { clock, stream: new NatsEventStream(handles, 'EVENTS', layoutSubjects('events')) };
  }

  it('a member waits for the state of a reader no longer than for a commit, so that a lost request holds up no commit', async () => {
    const { clock, stream } = onLostRequests();
    let state: unknown = 'none yet';
    void stream.inspect('reader', null).then((found) => {
      state = found;
    });
    clock.advance(399);
    await settle();
    assert.equal(state, 'none yet');
    clock.advance(1);
    await settle();
    assert.equal(state, undefined);
  });

  it('a member waits for the state of its stream no longer than for a commit', async () => {
    const { clock, stream } = onLostRequests();
    const bounds = stream.bounds();
    clock.advance(400);
    assert.deepEqual(await bounds, { kind: 'unknown' });
  });

  it('a refused deletion of a reader fails for good, and a deletion without an answer has an unknown outcome', async () => {
    const clock = new ManualClock();
    const removing = (error: Error) => {
      const manager = { getOptions: () => ({}), consumers: { delete: () => Promise.reject(error) } };
      const handles = { manager, clock, inboxPrefix: undefined } as unknown as NatsHandles;
      return new NatsEventStream(handles, 'EVENTS', layoutSubjects('events')).remove('reader');
    };
    const refusal = new NatsError('Permissions Violation', 'PERMISSIONS_VIOLATION');
    refusal.permissionContext = { operation: 'publish', subject: '$JS.API.CONSUMER.DELETE.EVENTS.reader' };
    const refused = await removing(refusal);
    assert.ok(refused.kind === 'failed');
    assert.match(refused.error.message, /^Could not delete reader reader of EVENTS: not permitted/);
    assert.deepEqual(await removing(new NatsError('TIMEOUT', 'TIMEOUT')), { kind: 'unknown' });
  });
});
