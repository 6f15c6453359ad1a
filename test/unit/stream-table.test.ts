import assert from 'node:assert/strict';
import { formatStream } from '../../src/text/stream-table.js';

describe('the listing of a stream', () => {
  it('the listing of a stream escapes every name and subject', () => {
    const evil = (name: string): string => `${name}\u001b[2J\u202e`;
    const lines = formatStream(
      {
        keyed: null,
        deadLetters: {
          stream: evil('dead'),
          messages: 1,
          bytes: 1,
          lastSequence: 1,
          last: {
            partition: 0,
            sequence: 1,
            group: evil('group'),
            attempts: 1,
            error: evil('error'),
            at: evil('time'),
          },
        },
        stream: {
          name: evil('stream'),
          subjects: [evil('subject')],
          messages: 0,
          bytes: 0,
          firstSequence: 1,
          lastSequence: 0,
          firstAtMs: null,
          lastAtMs: null,
          consumers: 0,
          storage: 'file',
          replicas: 3,
          leader: evil('leader'),
          followers: [
            { name: evil('current'), current: true },
            { name: evil('late'), current: false },
          ],
          maxMessages: null,
          maxBytes: null,
          maxAgeMs: null,
          duplicateWindowMs: null,
          counts: [0],
        },
        layout: { v: 1, prefix: evil('prefix'), partitions: 1, hash: 'fnv1a32' },
        partitions: [{ partition: 0, messages: 0, end: null, lastAtMs: null }],
        groups: [
          {
            group: evil('group'),
            ...{
              partitions: 1,
              members: 0,
              unreachable: 0,
              owned: 0,
              wrongPositions: 0,
              lagIsEstimate: false,
              withoutKey: 0,
              lag: 0,
              oldestMs: null,
              drainMs: 0,
              begun: 0,
              problem: null,
            },
          },
        ],
      },
      {
        bucket: evil('bucket'),
        serverVersion: evil('version'),
        concerns: [{ severity: 'warning', setting: 'x', message: evil('concern') }],
      },
    );
    const text = lines.join('\n');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the tests look for them
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    for (const name of 'stream subject leader current late prefix group bucket version concern'.split(' ')) {
      assert.ok(text.includes(`${name}\\u001b[2J\\u202e`), name);
    }
    assert.match(text, /Replicas +3, leader leader\S+, current\S+, late\S+ \(behind\)/);
  });
});
