import assert from 'node:assert/strict';
import { connect } from 'nats';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const PARTITIONS = 16;
const KEYS = 10_000;

/** Keys that are valid subject tokens, up to about 64 characters long. Every tenth key has characters outside ASCII. */
function keys(): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:/=+';
  let seed = 12345;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  return Array.from({ length: KEYS }, (_, index) => {
    let key = index % 10 === 0 ? 'schlüssel→🔑' : '';
    for (let length = 1 + next(64); key.length < length; ) key += letters[next(letters.length)] ?? '';
    return `${key}${index}`;
  });
}

/**
 * All supported servers have the mapping, so this test always runs against a server: an ordinary run against 2.9, `npm run test:matrix`
 * against 2.10 and later. Their answers are also in test/unit/layout.test.ts.
 */
describe("partitionOf and the server's partition() mapping", () => {
  const server = withServer({
    config: `mappings = { "in.*": "out.{{partition(${PARTITIONS},1)}}.{{wildcard(1)}}" }`,
  });

  it(`partitionOf and the server's partition() agree on ${KEYS} keys`, async () => {
    const connection = await connect({ servers: server.url });
    try {
      const mapped = new Map<string, number>();
      connection.subscribe('out.*.*', {
        callback: (_error, message) => {
          const [, partition, key] = message.subject.split('.');
          mapped.set(key ?? '', Number(partition));
        },
      });
      const all = keys();
      for (const key of all) connection.publish(`in.${key}`);
      await until('the server has mapped all keys', () => mapped.size === KEYS);
      for (const key of all) assert.equal(partitionOf(key, PARTITIONS), mapped.get(key), key);
    } finally {
      await connection.close();
    }
  });
});
