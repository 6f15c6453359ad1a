import assert from 'node:assert/strict';
import { headers } from 'nats';
import { SWEEP_AGE_MS, sweep } from '../../src/core/member/sweep.js';
import { bucketSubject } from '../../src/core/nats/kv/bucket.js';
import { listGroups } from '../../src/core/nats/kv/groups.js';
import { natsSessionTraces } from '../../src/core/nats/kv/session-traces.js';
import type { SessionTraces } from '../../src/core/ports/session-traces.js';
import { keys } from '../../src/core/protocol/keys.js';
import { runCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

/**
 * Sessions that ended leave traces in the bucket, such as deletion markers. The tests do not wait until traces are old. Instead they add
 * this time to the server's clock.
 */
describe('sweeping a bucket', function () {
  this.timeout(60_000);
  let run: GroupRun;
  const server = withGroup((opened) => {
    run = opened;
  });

  const traces = () => natsSessionTraces(run.topology, { ...run.config });
  const later = (ms: number): SessionTraces => {
    const real = traces();
    return {
      read: async () => {
        const found = await real.read();
        return { ...found, nowMs: found.nowMs + ms };
      },
      purge: (trace) => real.purge(trace),
    };
  };
  const ofKind = async (kind: 'session' | 'proof') =>
    (await traces().read()).traces.filter((trace) => trace.kind === kind);
  const markers = async () => (await ofKind('session')).filter(({ ended }) => ended).length;

  it('a sweep removes old traces without disturbing present or joining members', async () => {
    const steady = run.consume('steady');
    await run.atRest();
    run.publish(500);
    for (const name of ['one', 'two', 'three']) {
      run.consume(name);
      await run.atRest();
      const cli = run.forget(name);
      cli.signal('SIGTERM');
      assert.equal((await cli.exited).code, 0);
      await run.atRest();
    }
    assert.equal(await markers(), 3);
    assert.equal(await sweep(traces()), 0, 'no trace is old enough');
    assert.equal(await sweep(later(SWEEP_AGE_MS)), 3);
    assert.equal(await markers(), 0);
    assert.equal((await ofKind('proof')).length, 1, 'the trace of the present member remains');

    // The member can still renew. Another member can join and leave.
    const revision = async () => (await ofKind('proof'))[0]?.revision ?? 0;
    const before = await revision();
    assert.ok(before > 0);
    await until('the session is renewed', async () => (await revision()) > before);
    run.consume('four');
    await run.atRest();
    const verdict = await run.finish();
    assert.deepEqual([verdict.lost, verdict.duplicated, verdict.outOfOrder], [0, 0, 0]);
    assert.deepEqual(
      steady.stderr.filter((line) => /fenced|expired|could not|unreadable/.test(line)),
      [],
    );
    const { code, stdout } = await runCli([
      'leases',
      'history',
      '0',
      '--server',
      server.url,
      '--stream',
      run.config.stream,
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /steady/);
  });

  it('a sweep leaves the session of an undetected dead member for the group to fence', async () => {
    const alone = run.consume('alone');
    await run.atRest();
    const gone = run.consume('gone');
    await run.atRest();
    gone.signal('SIGTERM');
    await gone.exited;
    run.forget('gone');
    await run.atRest();
    alone.signal('SIGKILL');
    await alone.exited;
    run.forget('alone');
    const session = (await ofKind('session')).find(({ ended }) => !ended);
    assert.ok(session);
    assert.equal(await sweep(later(SWEEP_AGE_MS * 100)), 1);
    assert.deepEqual(
      (await traces().read()).traces.map(({ kind, id }) => `${kind} ${id}`),
      [`proof ${session.id}`, `session ${session.id}`],
    );
    run.consume('heir');
    await run.atRest();
    assert.equal(await markers(), 1, 'the dead member was fenced');
  });

  it('a sweep purges nothing for a trace whose id is a wildcard', async () => {
    const steady = run.consume('steady');
    await run.atRest();
    const before = await traces().read();
    const ended = headers();
    ended.set('KV-Operation', 'DEL');
    for (const id of ['*', '>'])
      for (const key of [keys.session(run.config.group, id), keys.proof(run.config.group, id)])
        run.connection.publish(bucketSubject(run.config.bucket, key), '', { headers: ended });
    run.connection.publish(bucketSubject(run.config.bucket, 'position.*.0'), '{}');
    await run.connection.flush();
    assert.equal(await sweep(later(SWEEP_AGE_MS * 100)), 0);
    const ids = (list: typeof before) => list.traces.map(({ kind, id }) => `${kind} ${id}`);
    assert.deepEqual(ids(await traces().read()), ids(before));
    assert.deepEqual(await listGroups(run.topology, run.config.bucket), [run.config.group]);
    steady.signal('SIGTERM');
    assert.equal((await steady.exited).code, 0);
    run.forget('steady');
  });

  it('recently ended sessions are kept when a member joins and in stream trim', async () => {
    for (let i = 0; i < 20; i++) {
      const key = `group.${run.config.group}.session.old${i}`;
      const written = await run.topology.bucket.write(key, new TextEncoder().encode('{}'), 0);
      assert.ok(written.kind === 'ok');
      await run.topology.bucket.remove(key, written.revision);
    }
    run.consume('a');
    await run.atRest();
    assert.equal(await markers(), 20);
    const trimmed = await runCli([
      'stream',
      'trim',
      '--force',
      '--json',
      '--server',
      server.url,
      '--stream',
      run.config.stream,
    ]);
    assert.equal(trimmed.code, 0, trimmed.stderr);
    assert.match(trimmed.stdout, /"sweptSessions":0/);
    assert.equal((await ofKind('session')).length, 21);
  });
});
