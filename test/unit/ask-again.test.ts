import assert from 'node:assert/strict';
import { ErrorCode, NatsError } from 'nats';
import { askAgain, startPatienceMs } from '../../src/core/nats/client/ask-again.js';
import { settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

/** Requests that a test answers itself, in any order. */
function scene(timeoutMs: number) {
  const clock = new ManualClock();
  const asked: { answer: (text: string) => void; fail: (error: Error) => void }[] = [];
  const ask = (): Promise<string> =>
    new Promise((answer, fail) => {
      asked.push({ answer, fail });
    });
  let outcome: unknown;
  askAgain(ask, timeoutMs, clock).then(
    (answer) => {
      outcome = answer;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await settle();
    }
  };
  return { asked, pass, outcome: () => outcome };
}

const apiError = (code: number, description: string, status: number): NatsError => {
  const error = new NatsError(description, String(status));
  error.api_error = { code: status, err_code: code, description };
  return error;
};

describe('a repeated request', () => {
  it('a request that a leaderless stream does not answer is repeated within the timeout, so that an answer after the election counts', async () => {
    const { asked, pass, outcome } = scene(5_000);
    await pass(4_600);
    assert.equal(asked.length, 10);
    asked.at(-1)?.answer('leader');
    await settle();
    assert.equal(outcome(), 'leader');
  });

  it('a slow answer to the first request counts even after the request was repeated', async () => {
    const { asked, pass, outcome } = scene(5_000);
    await pass(1_200);
    asked[0]?.answer('slow');
    await settle();
    assert.equal(outcome(), 'slow');
  });

  it('a request without an answer fails after the timeout, even if the client gives up its own requests earlier', async () => {
    const { asked, pass, outcome } = scene(2_000);
    await pass(300);
    asked[0]?.fail(NatsError.errorForCode(ErrorCode.Timeout));
    await pass(1_600);
    assert.equal(asked.length, 4);
    assert.equal(outcome(), undefined);
    await pass(100);
    const error = outcome();
    assert.ok(error instanceof NatsError && error.code === ErrorCode.Timeout);
  });

  it('a request is repeated if the cluster is unavailable, and fails with the answer of the cluster', async () => {
    const { asked, pass, outcome } = scene(1_000);
    const unavailable = apiError(10_008, 'JetStream system temporarily unavailable', 503);
    asked[0]?.fail(unavailable);
    await pass(500);
    assert.equal(asked.length, 2);
    await pass(500);
    assert.equal(outcome(), unavailable);
  });

  it('a refused request is not repeated', async () => {
    const { asked, outcome } = scene(5_000);
    const refusal = apiError(10_059, 'stream not found', 404);
    asked[0]?.fail(refusal);
    await settle();
    assert.equal(outcome(), refusal);
    assert.equal(asked.length, 1);
  });

  it('a starting program waits 15 s for its stream, unless a timeout is set', () => {
    assert.equal(startPatienceMs({ timeoutMs: 5_000, given: new Set() }), 15_000);
    assert.equal(startPatienceMs({ timeoutMs: 2_000, given: new Set(['timeoutMs']) }), 2_000);
  });
});
