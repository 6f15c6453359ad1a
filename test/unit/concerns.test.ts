import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { StreamConfig } from 'nats';
import { loadConfig } from '../../src/core/config/config.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import {
  ALL_USES,
  type Concern,
  refuse,
  type StreamUse,
  warningsOf,
} from '../../src/core/nats/client/concern.js';
import { bucketConcerns } from '../../src/core/nats/kv/bucket-concerns.js';
import { collide } from '../../src/core/nats/stream/collide.js';
import { bucketConfig, streamConfig } from '../../src/core/nats/stream/stored.js';
import { type StreamNeeds, streamConcerns } from '../../src/core/nats/stream/stream-concerns.js';

const config = loadConfig({ flags: { stream: 'S', prefix: 's', replicas: '3' }, env: {} });
/** The server's values for omitted fields. */
const DEFAULTS = {
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  max_consumers: -1,
  discard_new_per_subject: false,
  sealed: false,
  first_seq: 1,
};
const layout = { v: 1, prefix: 's', partitions: 8, hash: 'fnv1a32' } as const;
const full = (wanted: object): StreamConfig => ({ ...DEFAULTS, ...wanted }) as StreamConfig;
const NEEDS: StreamNeeds = {
  wildcard: 's.p.*',
  tokens: 's.p.*.>',
  partitions: 8,
  hasDefaultConsumers: false,
  another: 'choose another',
};

const ofStream = (change: object, needs: Partial<StreamNeeds> = {}): Concern[] =>
  streamConcerns(full({ ...streamConfig(config, layout, {}), ...change }), { ...NEEDS, ...needs });
const ofBucket = (change: object, partitions = 8): Concern[] =>
  bucketConcerns(full({ ...bucketConfig(config, {}), ...change }), {
    bucket: 'S_leases',
    partitions,
    replicas: 3,
  });

const SECOND = 1_000_000_000;

/** A changed setting, its name, and the refused uses. Without refused uses there is only a warning. */
type Case = [change: object, setting: string, refused: StreamUse[], message: RegExp];

const STREAM: Case[] = [
  [{ retention: 'interest' }, 'retention', [...ALL_USES], /interest retention.* --retention limits/],
  [{ retention: 'workqueue' }, 'retention', [...ALL_USES], /work queue retention.* choose another\.$/],
  [{ no_ack: true }, 'no_ack', ['publish'], /no_ack.*nats stream edit S --ack/],
  [{ sealed: true }, 'sealed', ['publish'], /is sealed/],
  [{ subjects: ['s.p.*.*'] }, 'subjects', ['publish'], /does not listen to s\.p\.\*/],
  [{ mirror: { name: 'O' } }, 'mirror', [...ALL_USES], /a mirror of O/],
  [
    { subject_transform: { src: 's.>', dest: 'x.>' } },
    'subject_transform',
    [...ALL_USES],
    /subject_transform.*--no-transform/,
  ],
  [
    { consumer_limits: { inactive_threshold: 5 * SECOND } },
    'consumer_limits',
    ['handle'],
    /5\.0 s \(consumer_limits\), but members need 30 s/,
  ],
  [{ max_consumers: 7 }, 'max_consumers', [], /allows 7 consumers.* 8 partitions.*--max-consumers/],
  [{ max_msgs_per_subject: 10 }, 'max_msgs_per_subject', [], /keeps 10 messages of a subject/],
  [{ max_msgs: 10, max_bytes: 1_024 }, 'discard', [], /keeps 10 messages and 1\.0 KiB.*--discard new/],
  [{ max_age: 60 * SECOND }, 'max_age', [], /drops messages after 1m/],
  [{ storage: 'memory' }, 'storage', [], /kept in memory/],
  [{ persist_mode: 'async' }, 'persist_mode', [], /before they are written/],
  [{ subject_delete_marker_ttl: SECOND }, 'subject_delete_marker_ttl', [], /header Nats-Marker-Reason/],
];
const BUCKET: Case[] = [
  [{ subjects: ['other.>'] }, 'subjects', [...ALL_USES], /is not a KV bucket/],
  [{ max_age: SECOND }, 'max_age', [...ALL_USES], /has a TTL/],
  [{ storage: 'memory' }, 'storage', [...ALL_USES], /in memory only/],
  [{ discard: 'old', max_msgs: 1_000 }, 'discard', [...ALL_USES], /drops old entries/],
  [{ retention: 'workqueue' }, 'retention', [...ALL_USES], /has workqueue retention/],
  [{ no_ack: true }, 'no_ack', [...ALL_USES], /confirms no write/],
  [{ sealed: true }, 'sealed', [...ALL_USES], /is sealed/],
  [{ mirror: { name: 'O' }, subjects: undefined }, 'mirror', [...ALL_USES], /is a mirror of O/],
  [{ sources: [{ name: 'O' }] }, 'sources', [...ALL_USES], /entries of other streams/],
  [{ subject_transform: { src: '>', dest: 'x.>' } }, 'subject_transform', [...ALL_USES], /under other keys/],
  [{ discard_new_per_subject: true }, 'discard_new_per_subject', [...ALL_USES], /writes to a full key/],
  [{ max_msg_size: 100 }, 'max_msg_size', [...ALL_USES], /accepts entries of up to 100 B/],
  [{ max_bytes: 10_000 }, 'max_bytes', [], /is full at 9\.8 KiB.*--max-bytes 65536/],
  [{ max_msgs: 100 }, 'max_msgs', [], /is full at 100 entries.*256/],
  [{ max_msgs_per_subject: -1 }, 'max_msgs_per_subject', [], /grows without limit/],
  [{ num_replicas: 1 }, 'num_replicas', [], /1 of the stream's 3 replicas.*--replicas 3/],
  [{ persist_mode: 'async' }, 'persist_mode', [], /before they are written/],
];
const FINE = {
  stream: [
    { max_age: 7 * 86_400 * SECOND },
    { discard: 'new', max_msgs: 10, max_msgs_per_subject: 5 },
    { deny_purge: true, deny_delete: true },
    { allow_direct: true, mirror_direct: false },
    { republish: { src: '>', dest: 'copy.>' } },
    { placement: { cluster: 'c' }, compression: 's2', metadata: { a: 'b' } },
    { sources: [{ name: 'O' }] },
    { subject_transform: { src: 'raw.>', dest: 's.p.>' } },
    { subjects: ['s.>'] },
    { consumer_limits: { inactive_threshold: 60 * SECOND } },
    { allow_msg_ttl: true, subject_delete_marker_ttl: 0, allow_msg_schedules: true },
    { allow_rollup_hdrs: true, max_msg_size: 100, duplicate_window: 0, first_seq: 1_000 },
  ],
  bucket: [
    { allow_direct: true, max_msgs_per_subject: 1, deny_delete: false, allow_rollup_hdrs: true },
    { max_bytes: 1_048_576 },
    { republish: { src: '>', dest: 'copy.>' } },
  ],
};

describe('settings of a stream and of a bucket', () => {
  for (const [what, cases, judge] of [
    ['stream', STREAM, ofStream],
    ['bucket', BUCKET, ofBucket],
  ] as const) {
    for (const [change, setting, refused, message] of cases) {
      it(`the setting ${setting} of a ${what}: ${refused.length > 0 ? `refused to ${refused.join(' and ')}` : 'a warning'}`, () => {
        const concerns = judge(change);
        assert.deepEqual(
          concerns.map((each) => each.setting),
          [setting],
        );
        assert.match(concerns[0]?.message ?? '', message);
        assert.ok((concerns[0]?.message.length ?? 0) < 260, concerns[0]?.message);
        const expected = (use: StreamUse) => refused.includes(use);
        for (const use of ALL_USES) {
          const refusing = () => refuse(concerns, [use]);
          if (expected(use))
            assert.throws(refusing, (error) => error instanceof NatspocError && error.exitCode === 4);
          else refusing();
        }
        // Commands that only read report the concern. They are never refused.
        refuse(concerns, []);
        if (refused.length === 0) assert.equal(warningsOf(concerns, ['handle']).length, 1);
      });
    }
    it(`no concern is reported for a safe setting of a ${what}`, () => {
      assert.deepEqual(judge({}), []);
      for (const change of FINE[what]) assert.deepEqual(judge(change), [], JSON.stringify(change));
    });
  }

  it('a group with more than 1,000 partitions causes a warning, because nats-server 2.15 limits consumers to 1,000', () => {
    assert.deepEqual(ofStream({}, { partitions: 1_100 }), []);
    const [concern] = ofStream({}, { partitions: 1_100, hasDefaultConsumers: true });
    assert.match(concern?.message ?? '', /allows 1,000 consumers, but a group of 1,100 partitions/);
    assert.deepEqual(
      ofStream({ max_consumers: 1_100 }, { partitions: 1_100, hasDefaultConsumers: true }),
      [],
    );
  });

  it('members may read subjects to which a transform adds tokens, and publishers are refused', () => {
    const mapping = { src: 's.p.*', dest: 's.p.{{partition(8,3)}}.{{wildcard(1)}}' };
    assert.deepEqual(ofStream({ subject_transform: mapping })[0]?.uses, ['publish']);
  });

  it('all concerns are documented in docs/streams.md', () => {
    const document = readFileSync(new URL('../../docs/streams.md', import.meta.url), 'utf8');
    const [ofStreams = '', ofBuckets = ''] = document.split('## Buckets');
    for (const [, setting] of STREAM) assert.ok(ofStreams.includes(`| \`${setting}\``), setting);
    for (const [, setting] of BUCKET) assert.ok(ofBuckets.includes(`| \`${setting}\``), setting);
  });

  it('two subject patterns overlap if a subject matches both', () => {
    for (const [a, b] of [
      ['>', 's.p.*'],
      ['s.>', 's.p.*'],
      ['s.*.*', 's.p.*'],
      ['s.p.3', 's.p.*'],
      ['*.p.3', 's.p.*'],
    ] as const) {
      assert.ok(collide(a, b) && collide(b, a), `${a} ${b}`);
    }
    for (const [a, b] of [
      ['s.p', 's.p.*'],
      ['s.p.*.>', 's.p.*'],
      ['t.>', 's.p.*'],
      ['s.q.*', 's.p.*'],
    ] as const) {
      assert.ok(!collide(a, b) && !collide(b, a), `${a} ${b}`);
    }
  });
});
