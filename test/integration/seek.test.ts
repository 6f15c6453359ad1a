import assert from 'node:assert/strict';
import { once } from 'node:events';
import { natsGroupPorts } from '../../src/core/admin/group-ports.js';
import { changeOverride } from '../../src/core/admin/overrides.js';
import { type SeekPorts, seekPositions } from '../../src/core/admin/seek.js';
import { planSeeks } from '../../src/core/admin/seek-planner.js';
import { withFollower } from '../../src/core/admin/with-follower.js';
import { createPublisher, type GroupMember, joinGroup } from '../../src/core/index.js';
import { natsGroupObserver } from '../../src/core/nats/stream/group-observer.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';
import { keys } from '../../src/core/protocol/keys.js';
import { decodePosition } from '../../src/core/protocol/position-records.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { decodeOverride, encodeRecord } from '../../src/core/protocol/records.js';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

/** A failed seek leaves nothing behind. A seek never decides what only an operator can decide. */
describe('a seek', function () {
  this.timeout(30_000);
  let run: GroupRun;
  withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '64' },
  );

  /** The real bucket, except for writes of one partition's override. They get the answers `told`, each once. */
  function answering(partition: number, ...told: WriteOutcome[]): Bucket {
    const { bucket } = run.topology;
    const instead = (key: string, answer: WriteOutcome): WriteOutcome =>
      (key === keys.override(run.config.group, partition) ? told.shift() : undefined) ?? answer;
    return {
      read: (key) => bucket.read(key),
      watch: (prefix, sink) => bucket.watch(prefix, sink),
      write: async (key, ...rest) => instead(key, await bucket.write(key, ...rest)),
      remove: async (key, ...rest) => instead(key, await bucket.remove(key, ...rest)),
    };
  }

  const seek = (bucket: Bucket, partitions: number[], plan?: SeekPorts['plan']) => {
    const observer = natsGroupObserver(run.topology, run.config);
    return withFollower(observer, run.config, (follower) =>
      seekPositions(
        {
          observer,
          follower,
          bucket,
          group: run.config.group,
          by: 'somebody',
          plan:
            plan ??
            (async (partition) => ({
              partition,
              from: null,
              to: 0,
              skipped: 0,
              repeated: 0,
              countIsEstimate: false,
            })),
          mark: async (sequence) => ({ sequence }),
          waitMs: 1_000,
        },
        partitions,
      ),
    );
  };

  const paused = async (): Promise<number[]> => {
    const { bucket } = run.topology;
    const wishes = await Promise.all(
      Array.from({ length: run.partitions }, async (_, partition) => {
        const found = await bucket.read(keys.override(run.config.group, partition));
        const value = found.kind === 'found' ? found.entry.value : null;
        return value && decodeOverride(value)?.paused ? [partition] : [];
      }),
    );
    return wishes.flat();
  };
  const all = (): number[] => Array.from({ length: run.partitions }, (_, partition) => partition);

  it('a seek leaves no partition paused if one partition cannot be paused', async () => {
    const newer = new TextEncoder().encode('{"v":99}');
    await run.topology.bucket.write(keys.override(run.config.group, 3), newer, 0);
    await assert.rejects(seek(run.topology.bucket, all()), /override\.3 was written by a newer version/);
    assert.deepEqual(await paused(), []);
  });

  it('a seek repairs a broken position and override, and does not change records of a newer version', async () => {
    const { bucket } = run.topology;
    const { group } = run.config;
    const put = (key: string, text: string) => bucket.write(key, new TextEncoder().encode(text), 0);
    await put(keys.override(group, 0), 'not ours');
    await put(keys.position(group, 0), '{"v":1,"seq":-1,"epoch":1,"at":""}');
    await put(keys.position(group, 1), '{"v":99,"seq":7}');
    const positions = await natsGroupObserver(run.topology, run.config).positions();
    assert.deepEqual(
      positions.map(({ partition, unreadable }) => [partition, unreadable]),
      [
        [0, 'broken'],
        [1, 'newer'],
      ],
    );
    const asked: unknown[] = [];
    const outcomes = await seek(bucket, [0, 1], async (partition, from) => {
      asked.push(from);
      return { partition, from: null, to: 0, skipped: 0, repeated: 0, countIsEstimate: false };
    });
    assert.deepEqual(
      outcomes.map(({ moved, message }) => [moved, message]),
      [
        [true, null],
        [false, 'its position was written by a newer version of natspoc, so it was not changed'],
      ],
    );
    assert.deepEqual(asked, ['unreadable']);
    assert.deepEqual(await paused(), []);
  });

  it('a seek does not look like a position that a member has written back after a loss', async () => {
    const { bucket } = run.topology;
    const key = keys.position(run.config.group, 2);
    await bucket.write(key, new TextEncoder().encode('{"v":2,"seq":50,"epoch":0,"at":""}'), 0);
    await seek(bucket, [2]);
    const found = await bucket.read(key);
    const value = found.kind === 'found' ? found.entry.value : null;
    const { seq, epoch } = (value && decodePosition(value)) || {};
    assert.deepEqual([seq, epoch], [0, 1]);
  });

  it('a seek leaves no partition paused, and moves none, if the target cannot be computed', async () => {
    const asked: number[] = [];
    const planning = seek(run.topology.bucket, all(), async (partition) => {
      asked.push(partition);
      if (partition === 0) throw new Error('no answer');
      return { partition, from: null, to: 0, skipped: 0, repeated: 0, countIsEstimate: false };
    });
    await assert.rejects(planning, /no answer/);
    assert.ok(asked.length < run.partitions, 'no more requests are made');
    assert.deepEqual(await paused(), []);
  });

  it('a seek leaves no partition paused if the answer to a pause is lost', async () => {
    const [outcome] = await seek(answering(0, { kind: 'unknown' }), [0]);
    assert.equal(outcome?.moved, true);
    assert.deepEqual(await paused(), []);
  });

  it('a plan counts from the start of the group if a partition has no position', async () => {
    const { connection, topology, config } = run;
    const { stream, prefix, bucket } = config;
    const publisher = await createPublisher({
      connection,
      stream,
      prefix,
      bucket,
      partitions: run.partitions,
    });
    for (let sent = 0; sent < 5; sent++) await publisher.publish({ data: 'x', partition: 7 });
    await publisher.close();
    const start = encodeRecord({ v: RECORD_VERSION, seq: 3, at: new Date().toISOString() });
    await topology.bucket.write(keys.start(config.group), start, 0);
    const ports = natsGroupPorts(topology, config);
    const [step] = await planSeeks(ports, [7], { kind: 'first' }, run.partitions);
    assert.deepEqual([step?.from, step?.to, step?.repeated], [null, 0, 3]);
  });

  /** The real bucket. The answer to the pause of partition 1 is lost, and the next read of the pause gets no answer. */
  function losing(): Bucket {
    const bucket = answering(1, { kind: 'unknown' });
    let reads = 0;
    return {
      ...bucket,
      read: async (key) =>
        key === keys.override(run.config.group, 1) && ++reads === 2 ? { kind: 'unknown' } : bucket.read(key),
    };
  }

  it('a seek that fails because a pause is not confirmed lifts this pause, too', async () => {
    await assert.rejects(seek(losing(), [0, 1]), { code: 'unreachable' });
    assert.deepEqual(await paused(), []);
  });

  it('a failed seek also names a partition whose pause was not confirmed', async () => {
    const bucket: Bucket = { ...losing(), remove: async () => ({ kind: 'unknown' }) };
    await assert.rejects(seek(bucket, [0, 1]), { message: /still be paused: 0 1\. / });
    assert.deepEqual(await paused(), [0, 1]);
  });

  it('a seek does not move a partition that another operator resumed meanwhile', async () => {
    const { bucket } = run.topology;
    let resumed: Promise<unknown> | undefined;
    const outcomes = await seek(bucket, all(), async (partition) => {
      resumed ??= changeOverride(bucket, run.config.group, 40, { paused: false }, 'somebody else');
      await resumed;
      return { partition, from: null, to: 0, skipped: 0, repeated: 0, countIsEstimate: false };
    });
    assert.deepEqual(
      outcomes.flatMap(({ partition, moved, message }) => (moved ? [] : [[partition, message]])),
      [[40, 'another operator resumed it meanwhile']],
    );
  });

  it('a seek lets a group continue after its stream was created again', async () => {
    const { connection } = run;
    const { stream, prefix, bucket } = run.config;
    const place = { connection, stream, prefix, bucket, partitions: run.partitions };
    const publish = async (count: number): Promise<void> => {
      const publisher = await createPublisher(place);
      const messages = Array.from({ length: count }, () => publisher.publish({ data: 'x', partition: 0 }));
      await Promise.all(messages);
      await publisher.close();
    };
    let handled = 0;
    const join = (): Promise<GroupMember> => joinGroup({ ...place, handler: () => void handled++ });
    await publish(10);
    const before = await join();
    await until('all messages are handled', () => handled === 10);
    await before.leave();
    await run.topology.manager.streams.delete(stream);
    await publish(5);
    const member = await join();
    const [{ message }] = await once(member, 'retrying');
    assert.match(message, /its position is \d+, but the stream ends at 5: /);
    assert.equal(handled, 10);
    const outcomes = await seek(run.topology.bucket, all());
    assert.ok(outcomes.every(({ moved }) => moved));
    await until('all new messages are handled', () => handled === 15);
    await member.leave();
  });

  it('a failed seek names the partitions that are still paused', async () => {
    const bucket: Bucket = { ...answering(0), remove: async () => ({ kind: 'unknown' }) };
    await assert.rejects(seek(bucket, [0, 1]), {
      code: 'unreachable',
      message: /still be paused: 0 1\. .*"natspoc leases resume 0 1"/,
    });
    assert.deepEqual(await paused(), [0, 1]);
  });

  it('a seek restores the previous override, even if the answer to its own change is lost', async () => {
    const { group } = run.config;
    const change = (bucket: Bucket, paused: boolean) =>
      changeOverride(bucket, group, 5, { paused }, 'somebody');
    assert.equal((await change(answering(5, { kind: 'unknown' }), true)).paused, false);
    assert.equal((await change(answering(5, { kind: 'conflict' }), false)).paused, true);
    assert.equal((await change(run.topology.bucket, false)).paused, false);
  });
});
