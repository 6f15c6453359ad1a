import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { assertSafe, HOSTILE } from '../support/hostile.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const LOG = `[7] 2026/11/28 00:00:00.000000 [FTL] ${HOSTILE.replace(/[\r\n]/g, '')}\n`;

const FAILING = `process.stderr.write(${JSON.stringify(LOG)}, () => process.exit(1));`;

/** A program that listens, reports an invalid version, and refuses every client. */
const LYING = `
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
const hostile = ${JSON.stringify(HOSTILE)};
const info = { server_id: hostile, server_name: hostile, version: hostile, jetstream: true, headers: true, proto: 1, max_payload: 1e6 };
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.write('INFO ' + JSON.stringify(info) + '\\r\\n');
  socket.on('data', () => socket.end("-ERR 'x" + hostile.replace(/[\\r\\n]/g, '') + "'\\r\\n"));
});
server.listen(0, '127.0.0.1', () => {
  const folder = process.argv[process.argv.indexOf('--ports_file_dir') + 1];
  writeFileSync(folder + '/x.ports', JSON.stringify({ nats: ['nats://127.0.0.1:' + server.address().port] }));
});
process.on('SIGINT', () => process.exit(0));
`;

/** The server's program and the information that the server sends are input from outside, too. */
describe('hostile text of a local server is escaped', function () {
  this.timeout(120_000);
  const folder = withTempFolder();
  afterEach(stopAll);

  function program(text: string): string {
    const file = join(folder(), `${HOSTILE.replace(/[\r\n/]/g, '')}.mjs`);
    writeFileSync(file, `#!${process.execPath}\n${text}`, { mode: 0o755 });
    return file;
  }
  const env = (binary: string) => ({ NATS_SERVER_BIN: binary, XDG_DATA_HOME: folder(), TMPDIR: folder() });

  for (const command of ['server', 'demo'])
    for (const json of [[], ['--json']]) {
      const args = [command, ...(command === 'server' ? ['--port', '0'] : []), ...json];

      it(`natspoc ${args.join(' ')} escapes the path and the errors of a program that does not start`, async () => {
        for (const binary of [program(FAILING), `/${HOSTILE}`]) {
          const { code, stdout, stderr } = await runCli(args, { env: env(binary) });
          assert.ok(code === 1 || code === 2, stderr);
          assertSafe(args.join(' '), stdout + stderr);
          assert.match(stdout + stderr, /owned/);
        }
      });

      it(`natspoc ${args.join(' ')} escapes the information that the server sends`, async () => {
        const cli = startCli([...args, ...(command === 'demo' ? ['--duration', '1s'] : [])], {
          env: env(program(LYING)),
        });
        if (command === 'server') {
          await until('the server is ready', () => cli.stdout.some((line) => /127\.0\.0\.1/.test(line)));
          cli.signal('SIGTERM');
        }
        const { code, stdout, stderr } = await cli.exited;
        assert.ok(code !== null && code <= 5, stderr);
        assertSafe(args.join(' '), stdout + stderr);
        assert.match(stdout + stderr, command === 'demo' ? /the server there does not speak nats/ : /owned/);
      });

      it(`natspoc ${args.join(' ')} escapes a path in .env and in flags`, async () => {
        const binary = program(FAILING);
        writeFileSync(join(folder(), '.env'), `NATS_SERVER_BIN='${binary}'\n`);
        const named = await runCli(args, { env: { TMPDIR: folder() }, cwd: folder() });
        assertSafe('.env', named.stdout + named.stderr);
        const flags =
          command === 'server' ? ['--port', '--store-dir', '--monitor-port'] : ['--rate', '--duration'];
        for (const flag of flags) {
          const exit = await runCli([...args, flag, HOSTILE], { env: env(binary) });
          assert.notEqual(exit.code, 0);
          assertSafe(flag, exit.stdout + exit.stderr);
        }
      });
    }
});
