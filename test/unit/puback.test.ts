import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PubAckReader } from '../../src/core/nats/jetstream/puback.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Reads an answer as the pipeline does: first by the fast path. */
function read(reader: PubAckReader, text: string) {
  const sequence = reader.sequence(bytes(text));
  return sequence > 0 ? { kind: 'stored', sequence, duplicate: false } : reader.decode(bytes(text));
}

describe('PubAckReader', () => {
  it('plain confirmations after the first are parsed by the fast path, with the spacing of any server', () => {
    for (const before of ['{"stream":"EVENTS","seq":', '{"stream":"EVENTS", "seq":']) {
      const reader = new PubAckReader('EVENTS');
      assert.equal(reader.sequence(bytes(`${before}1}`)), 0);
      reader.decode(bytes(`${before}1}`));
      for (const sequence of [1, 9, 10, 123_456_789, 999_999_999_999_999]) {
        assert.equal(reader.sequence(bytes(`${before}${sequence}}`)), sequence);
      }
    }
  });

  it('both paths of the parser give the same result, for any bytes', () => {
    const answers = fc.oneof(
      fc.string(),
      fc.json(),
      fc.nat().map((seq) => `{"stream":"EVENTS","seq":${seq}}`),
      fc
        .string({ unit: fc.constantFrom(...'0123456789-.e}{",: '), maxLength: 20 })
        .map((tail) => `{"stream":"EVENTS","seq":${tail}`),
      fc.bigInt({ min: 0n }).map((seq) => `{"stream":"EVENTS","seq":${seq}}`),
    );
    fc.assert(
      fc.property(answers, (text) => {
        const trained = new PubAckReader('EVENTS');
        trained.decode(bytes('{"stream":"EVENTS","seq":1}'));
        assert.deepEqual(read(trained, text), new PubAckReader('EVENTS').decode(bytes(text)));
      }),
    );
  });

  it('the parser of confirmations parses duplicates, domains and refusals', () => {
    const reader = new PubAckReader('EVENTS');
    assert.deepEqual(read(reader, '{"stream":"EVENTS","seq":7,"duplicate":true}'), {
      kind: 'stored',
      sequence: 7,
      duplicate: true,
    });
    assert.deepEqual(read(reader, '{"stream":"EVENTS","domain":"hub","seq":8}'), {
      kind: 'stored',
      sequence: 8,
      duplicate: false,
    });
    const full =
      '{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"EVENTS","seq":0}';
    assert.deepEqual(read(reader, full), {
      kind: 'refused',
      reason: { code: 10077, description: 'maximum messages exceeded', retryable: false },
      status: 503,
    });
    // 10008 means "temporarily unavailable". 10158 means that a cluster has not decided an earlier attempt yet.
    for (const code of [10008, 10158]) {
      const passing = read(reader, `{"error":{"code":503,"err_code":${code},"description":"not now"}}`);
      assert.ok(passing.kind === 'refused' && 'reason' in passing && passing.reason.retryable, String(code));
    }
  });

  it('the parser of confirmations ignores the answer of a stream in another domain', () => {
    const [hub, none] = [new PubAckReader('EVENTS', 'hub'), new PubAckReader('EVENTS', '')];
    const of = (domain: string, seq: number) =>
      `{"stream":"EVENTS",${domain && `"domain":"${domain}",`}"seq":${seq}}`;
    assert.equal(read(hub, of('hub', 1)).kind, 'stored');
    for (const [reader, domain] of [
      [hub, 'leaf'],
      [hub, ''],
      [none, 'hub'],
    ] as const) {
      const answer = read(reader, of(domain, 2));
      assert.equal(answer.kind, 'elsewhere', domain);
    }
    assert.equal(
      read(hub, '{"error":{"code":503,"err_code":10077},"stream":"EVENTS","domain":"leaf","seq":0}').kind,
      'elsewhere',
    );
    // A refusal names only its stream.
    const refusal = (stream: string) =>
      `{"error":{"code":400,"err_code":10071},"stream":"${stream}","seq":0}`;
    assert.equal(read(hub, refusal('EVENTS')).kind, 'refused');
    assert.equal(read(hub, refusal('OTHER')).kind, 'elsewhere');
    assert.equal(read(none, of('', 3)).kind, 'stored');
    assert.equal(read(hub, of('hub', 4)).kind, 'stored');
  });

  it('the parser of confirmations rejects answers of other streams and texts that are not answers', () => {
    const reader = new PubAckReader('EVENTS');
    assert.equal(read(reader, '{"stream":"OTHER","seq":7}').kind, 'refused');
    for (const text of [
      '',
      'ok',
      'null',
      '[]',
      '{}',
      '{"stream":"EVENTS"}',
      '{"stream":"EVENTS","seq":"7"}',
      '{"stream":"EVENTS","seq":0}',
      '{"stream":"EVENTS","seq":1.5}',
      '{"stream":7,"seq":1}',
      '{"stream":"EVENTS","seq":9007199254740993}',
    ]) {
      assert.equal(read(reader, text).kind, 'garbled', text);
    }
  });
});
