import assert from 'node:assert/strict';
import { ErrorCode, NatsError } from 'nats';
import { writeCleared } from '../../src/core/admin/cleared.js';
import { fenceMember } from '../../src/core/admin/fence.js';
import { freeLease } from '../../src/core/admin/free-lease.js';
import { findGroupLayout } from '../../src/core/admin/group-layout.js';
import { changeOverride } from '../../src/core/admin/overrides.js';
import { systemClock } from '../../src/core/lib/clock.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsBucket } from '../../src/core/nats/kv/bucket.js';
import { readGroupLayout } from '../../src/core/nats/stream/group-layout.js';
import { writeEntry } from '../../src/core/nats/stream/layout-entry.js';
import type { Bucket } from '../../src/core/ports/index.js';

/** A bucket on a connection whose requests all fail. */
function bucketOn(error: Error): Bucket {
  const fail = () => Promise.reject(error);
  const manager = {
    getOptions: () => ({ apiPrefix: '$JS.API' }),
    streams: { getMessage: fail, info: fail },
  };
  return new NatsBucket({ connection: { request: fail }, manager } as unknown as NatsHandles, 'B', 500);
}

const LAYOUT = { v: 1, prefix: 'p', partitions: 1, hash: 'fnv1a32' } as const;

/** The reason that each operation on the bucket gives, by its name. */
async function reasons(bucket: Bucket): Promise<Record<string, string>> {
  const clearing = { group: 'g', partition: 0, seq: 1, purged: undefined };
  const calls: Record<string, Promise<unknown>> = {
    fence: fenceMember({ bucket, clock: systemClock }, 'g', 's'),
    lease: freeLease(bucket, 'g', 0),
    layout: findGroupLayout(bucket, 'g'),
    override: changeOverride(bucket, 'g', 0, { paused: true }, 'me'),
    cleared: writeCleared(bucket, clearing, undefined),
    entry: writeEntry({ bucket, key: 'layout', decode: () => LAYOUT }, LAYOUT, 0),
    again: readGroupLayout(bucket, 'g', 100),
  };
  const said: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls)) {
    const outcome = await call.catch((error: unknown) => {
      assert.ok(error instanceof NatspocError, name);
      return error.message;
    });
    said[name] = typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
  }
  return said;
}

describe('a request with an unknown outcome', () => {
  const causes: [string, Error, RegExp][] = [
    ['JetStream does not answer', new NatsError('503', '503'), /JetStream does not answer: it is disabled/],
    [
      'the connection is closed',
      NatsError.errorForCode(ErrorCode.ConnectionClosed),
      /connection to NATS was lost/,
    ],
  ];
  for (const [cause, error, text] of causes)
    it(`every operation on the bucket says that ${cause}, not that an answer was late`, async () => {
      for (const [name, said] of Object.entries(await reasons(bucketOn(error)))) {
        assert.match(said, text, name);
        assert.doesNotMatch(said, /in time/, name);
      }
    });
});
