import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeControlAnswer, decodeRelease, memberSubject } from '../../src/core/protocol/member-orders.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('requests to members', () => {
  it('any input is a request to a member, or is rejected', () => {
    assert.deepEqual(decodeRelease(bytes('{"partitions":[3],"to":"b"}')), { partitions: [3], to: 'b' });
    assert.deepEqual(decodeRelease(bytes('{"partitions":"all"}')), { partitions: 'all', to: null });
    for (const bad of [
      '',
      '[]',
      '{"partitions":[-1]}',
      '{"partitions":["3"]}',
      '{"partitions":[1],"to":7}',
      '{',
    ]) {
      assert.equal(decodeRelease(bytes(bad)), undefined, bad);
    }
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (noise, json) => {
        for (const decode of [decodeRelease, decodeControlAnswer]) {
          decode(noise);
          decode(bytes(json));
        }
      }),
    );
  });

  it('requests to members use the subjects that the documented permissions name', () => {
    assert.equal(memberSubject('EVENTS', 'default', 'S1', 'stop'), 'natspoc.EVENTS.default.S1.stop');
  });
});
