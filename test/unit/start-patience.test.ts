import assert from 'node:assert/strict';
import { ErrorCode, NatsError } from 'nats';
import { streamEnd } from '../../src/cli/consume/stream-end.js';
import type { Config } from '../../src/core/config/config.js';
import type { NatsConnection } from '../../src/core/nats/client/connection.js';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsDeadLetters } from '../../src/core/nats/stream/dead-letters.js';
import { openOwnSubjects } from '../../src/core/nats/stream/own-subjects.js';

const TIMEOUT_MS = 100;

/** A server whose stream elects a leader, so that the first requests get no answer. */
function electing() {
  let unanswered = 2;
  const config = { subjects: ['s.dead', 'orders.>'], retention: 'limits', duplicate_window: 1_000_000_000 };
  const info = async () => {
    if (unanswered-- > 0) throw NatsError.errorForCode(ErrorCode.Timeout);
    return { config, state: { last_seq: 7 } };
  };
  const manager = { getOptions: () => ({ timeout: TIMEOUT_MS, apiPrefix: '$JS.API' }), streams: { info } };
  const connection = { jetstreamManager: async () => manager, info: { version: '2.11.0' } };
  return {
    connection: connection as unknown as NatsConnection,
    handles: { connection, manager, inboxPrefix: undefined } as unknown as NatsHandles,
  };
}

// The functions use only these settings.
const config = {
  stream: 'S',
  timeoutMs: TIMEOUT_MS,
  given: new Set(),
  place: (name: string) => name,
} as unknown as Config;

describe('a start during an election', () => {
  it('a publisher to the own subjects of a stream waits for its leader', async () => {
    assert.deepEqual((await openOwnSubjects(electing().connection, config)).subjects, ['s.dead', 'orders.>']);
  });

  it('consume --until-caught-up waits for the leader of its stream', async () => {
    assert.equal(await streamEnd(electing().connection, config), 7);
  });

  it('a member waits for the leader of the stream of dead letters', async () => {
    const options = { stream: 'S', prefix: 's', replicas: 1, timeoutMs: TIMEOUT_MS };
    await new NatsDeadLetters(electing().handles, options).ensure(15_000);
  });
});
