import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headers } from 'nats';
import { deadStream, deadSubject } from '../../src/core/protocol/dead-letter.js';
import { keys } from '../../src/core/protocol/keys.js';
import { partitionSubject } from '../../src/core/protocol/layout.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { runCli, startCli } from '../support/cli.js';
import type { GroupRun } from '../support/group-run.js';
import { assertSafe, HOSTILE } from '../support/hostile.js';
import { TcpProxy } from '../support/proxy.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';
import { withGroup } from '../support/with-group.js';

/** The part of the hostile text that subjects and headers can contain. */
const TOKEN = HOSTILE.replace(/[\r\n\t ]/g, '');

describe('hostile text is escaped', function () {
  this.timeout(180_000);
  let run: GroupRun;
  const server = withGroup(
    (opened) => {
      run = opened;
    },
    { partitions: '2' },
  );
  const folder = withTempFolder();
  let proxy: TcpProxy | undefined;
  afterEach(() => proxy?.stop());

  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const put = (key: string, value: unknown): void =>
    run.connection.publish(`$KV.${run.config.bucket}.${key}`, json(value));

  function fillGroup(): void {
    const { group } = run.config;
    const at = new Date().toISOString();
    const session = (id: string) => ({
      v: RECORD_VERSION,
      id,
      name: HOSTILE,
      host: HOSTILE,
      pid: 1,
      version: HOSTILE,
      startedAt: HOSTILE,
      ttlMs: 3_600_000,
      suspectMs: 3_600_000,
    });
    put(keys.session(group, TOKEN), session(TOKEN));
    put(keys.session(group, 'plain'), session('plain'));
    put(keys.lease(group, 0), { v: 1, owner: 'plain', name: HOSTILE, reason: 'claim', from: HOSTILE, at });
    put(keys.lease(group, 1), {
      v: 1,
      owner: TOKEN,
      name: HOSTILE,
      reason: 'claim',
      from: null,
      at: HOSTILE,
    });
  }

  async function fill(): Promise<void> {
    const { connection, config, topology } = run;
    const { prefix, group } = config;
    fillGroup();
    put(keys.override(group, 1), { v: 1, pin: HOSTILE, paused: true, by: HOSTILE, at: HOSTILE });
    put(keys.session(group, `bad${TOKEN}`), HOSTILE);
    for (const name of [group, TOKEN])
      put(keys.position(name, 0), { v: 1, seq: 1, epoch: 1, at: HOSTILE, more: HOSTILE });
    put(keys.position(`bad${TOKEN}`, 0), HOSTILE);

    await topology.manager.streams.add({ name: deadStream(config.stream), subjects: [deadSubject(prefix)] });
    const message = headers();
    message.append('Natspoc-Key', TOKEN);
    message.append('X-Note', TOKEN);
    for (const partition of [0, 1])
      connection.publish(partitionSubject(prefix, partition), HOSTILE, { headers: message });
    connection.publish(`${prefix}.p.${TOKEN}`, HOSTILE, { headers: message });
    const dead = headers();
    for (const [name, value] of Object.entries({
      Stream: config.stream,
      Subject: partitionSubject(prefix, 0),
      Sequence: '1',
      Partition: '0',
      Group: TOKEN,
      Epoch: '1',
      Attempts: '1',
      Error: TOKEN,
      Time: TOKEN,
    }))
      dead.append(`Natspoc-Dead-${name}`, value);
    dead.append('Natspoc-Key', TOKEN);
    connection.publish(deadSubject(prefix), HOSTILE, { headers: dead });
    await connection.flush();
  }

  /** Answers requests as a member would, with hostile text in every field. */
  function impersonate(): void {
    const { connection, config } = run;
    connection.subscribe('$SRV.STATS.natspoc.*', {
      callback: (_error, message) => {
        const id = message.subject.split('.').at(-1) ?? '';
        const data = {
          v: 1,
          session: id,
          name: HOSTILE,
          group: config.group,
          stream: config.stream,
          host: HOSTILE,
          pid: 1,
          version: HOSTILE,
          startedAt: HOSTILE,
          uptimeMs: 1,
          partitions: [{ partition: 0, epoch: 1, position: 1, state: HOSTILE }],
          handled: 1,
          failed: 0,
          memory: { allocBytes: 1, totalAllocBytes: 1, sysBytes: 1, numGc: 1, verdict: HOSTILE },
        };
        message.respond(json({ type: 'x', name: HOSTILE, endpoints: [{ data }] }));
      },
    });
    connection.subscribe(`natspoc.${config.stream}.${config.group}.>`, {
      callback: (_error, message) => {
        const refusal = headers();
        refusal.append('Nats-Service-Error', TOKEN);
        refusal.append('Nats-Service-Error-Code', '400');
        message.respond(HOSTILE, { headers: refusal });
      },
    });
  }

  it('hostile text is escaped in a watch', async () => {
    await fill();
    const args = [...run.args, '--server', server.url];
    const watches = [[], ['--json']].map((more) => startCli(['leases', 'watch', ...more, ...args]));
    // A watch does not print changes of its snapshot. So the changes are repeated until both watches have printed them.
    await until('both watches have printed the changes', async () => {
      for (const id of [TOKEN, 'plain']) put(keys.session(run.config.group, id), 'gone');
      run.connection.publish(`$KV.${run.config.bucket}.${keys.session(run.config.group, TOKEN)}`, '');
      for (const partition of [0, 1]) put(keys.lease(run.config.group, partition), HOSTILE);
      fillGroup();
      await run.connection.flush();
      return watches.every(({ stdout }) => stdout.length > 4);
    });
    for (const watch of watches) watch.signal('SIGINT');
    for (const { stdout, stderr, code } of await Promise.all(watches.map(({ exited }) => exited))) {
      assert.equal(code, 0, stderr);
      assert.match(stdout, /owned/);
      assertSafe('watch, stdout', stdout);
      assertSafe('watch, stderr', stderr);
    }
  });

  it('hostile text is escaped in every command', async () => {
    await fill();
    impersonate();
    // The server's name and version come from outside, too.
    proxy = await TcpProxy.start(server.port);
    proxy.rewrite(/"(server_name|version)":"([\d.]*)/g, `"$1":"$2${JSON.stringify(TOKEN).slice(1, -1)}`);
    const handler = join(folder(), 'handler.mjs');
    writeFileSync(
      handler,
      `export default (message, { log }) => { const text = ${JSON.stringify(HOSTILE)}; log.info(text); throw new Error(text); };`,
    );
    const lines = join(folder(), 'lines');
    writeFileSync(lines, `${JSON.stringify({ key: HOSTILE })}\n${HOSTILE}\n`);
    const contexts = join(folder(), 'nats', 'context');
    mkdirSync(contexts, { recursive: true });
    writeFileSync(join(contexts, 'evil.json'), JSON.stringify({ url: `nats://${HOSTILE}`, user: HOSTILE }));
    const commands = [
      ['leases'],
      ['leases', '--members'],
      ['leases', 'list', '--group', HOSTILE],
      ['leases', 'check'],
      ['leases', 'history'],
      ['stream', 'create'],
      ['stream', 'create', '--stream', HOSTILE],
      ['stream', 'create', '--prefix', HOSTILE],
      ['leases', 'release', '0', '--wait', '1s'],
      ['leases', 'pin', '0', HOSTILE],
      ['leases', 'unpin', '1'],
      ['leases', 'pause', '1', '--wait', '1s'],
      ['leases', 'resume', '1'],
      ['leases', 'seek', '0', '--to', HOSTILE],
      ['stream'],
      ['stream', 'tail', '--no-follow', '--last', '9'],
      ['stream', 'get', '1'],
      ['stream', 'get', '3'],
      ['stream', 'trim'],
      ['stream', 'purge'],
      ['stream', 'delete'],
      ['stream', 'redrive', '--dry-run'],
      ['stream', 'dead'],
      ['stream', 'redrive'],
      ['top', '--once'],
      ['consume', '--group', 'a', '--until-caught-up', '--output', 'text'],
      ['consume', '--group', 'b', '--until-caught-up', '--output', 'ndjson'],
      ['consume', '--group', 'c', '--handler', handler, '--max-attempts', '1', '--until-caught-up'],
      [
        'consume',
        '--group',
        'd',
        '--name',
        HOSTILE,
        '--until-caught-up',
        '--exec',
        'exit 1',
        '--on-failure',
        'skip',
      ],
      ['publish', HOSTILE, '--key', HOSTILE],
      ['publish', '--file', lines, '--key-field', 'key'],
      ['publish', 'x', '-H', HOSTILE],
      [HOSTILE],
      ['leases', `--${HOSTILE}`],
    ];
    const env = { HOME: folder(), XDG_CONFIG_HOME: folder(), DEBUG: '1' };
    const args = [...run.args, '--server', proxy.url];
    for (const command of commands) {
      const both = [[], ['--json']].filter((more) => more.length === 0 || !command.includes('text'));
      await Promise.all(
        both.map(async (more) => {
          const exit = await runCli([...command, ...more, ...args], { env });
          const what = `${command.join(' ')} ${more.join()}`;
          assertSafe(`${what}, stdout`, exit.stdout);
          assertSafe(`${what}, stderr`, exit.stderr);
          assert.ok(exit.code !== null && exit.code <= 5, `${what}: ${exit.signal}`);
          if (more.length === 0) return;
          for (const line of exit.stdout.split('\n').filter(Boolean))
            assert.doesNotThrow(() => JSON.parse(line), `${what}: ${line}`);
        }),
      );
    }
    for (const name of ['evil', HOSTILE]) {
      const exit = await runCli(['leases', '--context', name], { env });
      assertSafe(`context ${name}`, exit.stdout + exit.stderr);
    }
  });
});
