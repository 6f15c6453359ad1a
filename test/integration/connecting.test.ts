import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nkeys } from 'nats';
import { createPublisher, joinGroup, NatspocError } from '../../src/core/index.js';
import { type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { operatorMode } from '../support/jwt.js';
import { startTestServer, type TestServer, testServerBinary } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { TlsProxy } from '../support/tls-proxy.js';

const TLS = fileURLToPath(new URL('../fixtures/tls', import.meta.url));
const pem = (name: string): string => path.join(TLS, name);
const SECRET = 's3cret-that-nobody-may-see';

describe('connecting', function () {
  this.timeout(60_000);
  const temp = withTempFolder();
  const servers: TestServer[] = [];
  const proxies: TlsProxy[] = [];

  before(async function () {
    this.timeout(240_000);
    await testServerBinary();
  });

  afterEach(async () => {
    await stopAll();
    for (const proxy of proxies.splice(0)) await proxy.stop();
    for (const server of servers.splice(0)) await server.stop();
  });

  async function serve(config: string): Promise<TestServer> {
    const server = await startTestServer({ config });
    servers.push(server);
    return server;
  }

  const create = (env: Record<string, string>, ...args: string[]): Promise<CliExit> =>
    runCli(['stream', 'create', '--timeout', '4s', ...args], { env: { HOME: temp(), ...env } });

  async function connects(env: Record<string, string>, ...args: string[]): Promise<CliExit> {
    const exit = await create(env, ...args);
    assert.equal(exit.code, 0, exit.stderr);
    return exit;
  }

  /** Asserts that a command fails with this exit code and one clear line. The line contains no secret. */
  async function fails(code: number, line: RegExp, env: Record<string, string>, ...args: string[]) {
    for (const json of [false, true]) {
      const exit = await create(env, ...args, ...(json ? ['--json'] : []));
      assert.equal(exit.code, code, exit.stderr);
      const said = json ? exit.stdout : exit.stderr;
      assert.equal(said.split('\n').length, 1, said);
      assert.match(said, line);
      assert.ok(!`${exit.stdout}${exit.stderr}`.includes(SECRET), 'a secret was shown');
    }
  }

  describe('with TLS', () => {
    const block = (certificate: string, verify: boolean): string => `
      tls {
        cert_file: "${pem(`${certificate}.pem`)}", key_file: "${pem(`${certificate}.key`)}"
        ca_file: "${pem('ca.pem')}", verify: ${verify}
      }`;

    it('a client connects over TLS with a private authority, and with a client certificate if the server requires one', async () => {
      const server = await serve(block('server', false));
      const url = `tls://localhost:${server.port}`;
      await connects({ NATS_URL: url, NATS_CA: pem('ca.pem') });
      await fails(3, /TLS with .* failed: its certificate is not trusted.*--tlsca/, { NATS_URL: url });
      await fails(3, /not trusted/, { NATS_URL: url, NATS_CA: pem('untrusted.pem') });
      await fails(2, /NATS_CA: cannot read \/nowhere\.pem: there is no such file/, {
        NATS_URL: url,
        NATS_CA: '/nowhere.pem',
      });

      const strict = await serve(block('server', true));
      const env = { NATS_URL: `tls://localhost:${strict.port}`, NATS_CA: pem('ca.pem') };
      await connects({ ...env, NATS_CERT: pem('client.pem'), NATS_KEY: pem('client.key') });
      await fails(3, /(requires|may want) a client certificate: give one with --tlscert and --tlskey/, env);
      await fails(2, /NATS_CERT needs --tlskey or NATS_KEY: a client/, {
        ...env,
        NATS_CERT: pem('client.pem'),
      });
      await fails(3, /NATS_KEY does not belong to NATS_CERT/, {
        ...env,
        NATS_CERT: pem('client.pem'),
        NATS_KEY: pem('server.key'),
      });
    });

    it('a client names the client certificate if the server resets the connection in the middle of the handshake', async () => {
      const resets = createServer((socket) => {
        socket.write(
          'INFO {"server_id":"S","version":"2.9.10","proto":1,"tls_required":true,"max_payload":1048576}\r\n',
        );
        socket.once('data', () => socket.resetAndDestroy());
      });
      await new Promise<void>((listening) => resets.listen(0, '127.0.0.1', listening));
      try {
        const { port } = resets.address() as AddressInfo;
        await fails(3, /reset; it may want a client certificate: give one with --tlscert and --tlskey/, {
          NATS_URL: `tls://localhost:${port}`,
          NATS_CA: pem('ca.pem'),
        });
      } finally {
        resets.close();
      }
    });

    it('a client refuses an expired certificate, and a server without TLS if the URL requires it', async () => {
      const expired = await serve(block('expired', false));
      await fails(3, /a certificate has expired/, {
        NATS_URL: `tls://localhost:${expired.port}`,
        NATS_CA: pem('ca.pem'),
      });
      const plain = await serve('');
      await fails(3, /TLS with .* failed: the server does not offer TLS/, {
        NATS_URL: `tls://localhost:${plain.port}`,
      });
    });
  });

  it('errors for programs name options instead of flags', async () => {
    const own = /set .* with a connection of your own\.$/;
    const tls = `cert_file: "${pem('server.pem')}", key_file: "${pem('server.key')}"`;
    const [secured, closed] = [
      await serve(`tls { ${tls} }`),
      await serve(`authorization { user: u, password: "${SECRET}" }`),
    ];
    const places =
      /Give credentials with option "servers" \(nats:\/\/USER:PASSWORD@HOST\) or a connection of your own\.$/;
    for (const [servers, code, line] of [
      [`tls://localhost:${secured.port}`, 'unreachable', own],
      [closed.url, 'authentication-failed', places],
      [
        closed.url.replace('//', `//u:${SECRET}x@`),
        'authentication-failed',
        /credentials\. Check option "servers"\.$/,
      ],
    ] as const) {
      const options = { servers, timeoutMs: 4_000 };
      const joins = () => joinGroup({ ...options, handler: () => {} });
      for (const attempt of [joins, () => createPublisher(options)]) {
        await assert.rejects(attempt, (error) => {
          assert.ok(error instanceof NatspocError && error.code === code, String(error));
          assert.match(error.message, line);
          assert.doesNotMatch(error.message, /--|NATS_/);
          return true;
        });
      }
    }
  });

  describe('with TLS first', () => {
    const files = { cert: pem('server.pem'), key: pem('server.key') };

    async function proxyOf(server: TestServer): Promise<string> {
      const proxy = await TlsProxy.start(server.port, files);
      proxies.push(proxy);
      return `tls://localhost:${proxy.port}`;
    }

    it('a client connects with TLS first if requested, and names the missing setting otherwise', async () => {
      const plain = await serve('');
      const url = await proxyOf(plain);
      await connects({ NATS_URL: url, NATS_CA: pem('ca.pem'), NATS_TLSFIRST: 'true' });
      await fails(3, /not trusted.*--tlsca/, { NATS_URL: url, NATS_TLSFIRST: 'true' });
      await fails(3, /closed the connection without a reply; it may expect TLS first: set --tlsfirst/, {
        NATS_URL: url,
        NATS_CA: pem('ca.pem'),
      });
      await fails(3, /does not speak TLS, or only after a greeting without TLS: check NATS_TLSFIRST/, {
        NATS_URL: plain.url,
        NATS_TLSFIRST: 'true',
      });
    });

    it('a client connects with TLS first to a server, or to a proxy in front of a server older than 2.10.11', async () => {
      const plain = await serve('');
      const [major = 0, minor = 0, patch = 0] = plain.version.split('.').map(Number);
      const itself = major * 1e6 + minor * 1e3 + patch >= 2_010_011;
      // The server waits two seconds for a handshake before it sends anything. The test waits for these first bytes.
      const config = `tls { cert_file: "${files.cert}", key_file: "${files.key}", handshake_first: 2s }`;
      const url = itself ? `tls://localhost:${(await serve(config)).port}` : await proxyOf(plain);
      await connects({ NATS_URL: url, NATS_CA: pem('ca.pem') }, '--tlsfirst');
    });
  });

  describe('with credentials', () => {
    it('a client authenticates by user and password, from the environment or the URL, and exits with 4 if they are wrong', async () => {
      const server = await serve(`authorization { user: u, password: "${SECRET}" }`);
      const NATS_URL = server.url;
      await connects({ NATS_URL, NATS_USER: 'u', NATS_PASSWORD: SECRET });
      const inUrl = NATS_URL.replace('nats://', `nats://u:${SECRET}@`);
      await connects({ NATS_URL: `${inUrl},nats://127.0.0.1:1` }, '--stream', 'B', '--prefix', 'b');
      await fails(4, /the credentials\. Give credentials with --user, --password, .*--nkey or --context\./, {
        NATS_URL,
      });
      const wrong = { NATS_URL, NATS_USER: 'u', NATS_PASSWORD: `${SECRET}x` };
      await fails(4, /refused the credentials\. Check NATS_USER and NATS_PASSWORD\./, wrong);
      await fails(4, /refused the credentials\. Check NATS_URL\./, {
        NATS_URL: inUrl.replace('u:', 'someone:'),
      });
    });

    it('a client authenticates by a token, given as a token or as a user without a password', async () => {
      const server = await serve(`authorization { token: "${SECRET}" }`);
      await connects({ NATS_URL: server.url, NATS_TOKEN: SECRET });
      await connects({ NATS_URL: server.url, NATS_USER: SECRET }, '--stream', 'B', '--prefix', 'b');
      await fails(4, /refused the credentials/, { NATS_URL: server.url, NATS_TOKEN: 'no' });
    });

    it('a client authenticates by an NKEY', async () => {
      const user = nkeys.createUser();
      const server = await serve(`authorization { users = [{ nkey: ${user.getPublicKey()} }] }`);
      const [file, other, none] = ['user.nk', 'other.nk', 'none.nk'].map((name) => path.join(temp(), name));
      writeFileSync(file ?? '', `${new TextDecoder().decode(user.getSeed())}\n`);
      writeFileSync(other ?? '', new TextDecoder().decode(nkeys.createUser().getSeed()));
      writeFileSync(none ?? '', SECRET);
      await connects({ NATS_URL: server.url, NATS_NKEY: file ?? '' });
      await fails(4, /refused the credentials/, { NATS_URL: server.url, NATS_NKEY: other ?? '' });
      await fails(2, /NATS_NKEY: .* holds no NKEY seed/, { NATS_URL: server.url, NATS_NKEY: none ?? '' });
    });

    it('a client authenticates by a credentials file, and refuses an expired file', async () => {
      const { config, creds } = operatorMode();
      const server = await serve(config);
      const [good, expired, none] = ['good', 'expired', 'none'].map((name) =>
        path.join(temp(), `${name}.creds`),
      );
      writeFileSync(good ?? '', creds());
      writeFileSync(expired ?? '', creds(Math.floor(Date.now() / 1_000) - 60));
      writeFileSync(none ?? '', SECRET);
      await connects({ NATS_URL: server.url, NATS_CREDS: good ?? '' });
      await fails(4, /refused the credentials/, { NATS_URL: server.url, NATS_CREDS: expired ?? '' });
      await fails(2, /NATS_CREDS: .* holds no credentials/, { NATS_URL: server.url, NATS_CREDS: none ?? '' });
    });

    it('a member ends with the reason if its credentials expire', async () => {
      const { config, creds } = operatorMode();
      const server = await serve(config);
      const file = path.join(temp(), 'short.creds');
      writeFileSync(file, creds(Math.ceil(Date.now() / 1_000) + 3));
      const env = { HOME: temp(), NATS_URL: server.url, NATS_CREDS: file };
      const cli = startCli(['consume', '--output', 'none'], { env });
      await cli.note(/joined group/);
      const { code, stderr } = await cli.exited;
      assert.equal(code, 4, stderr);
      assert.match(stderr, /Error: The connection to NATS was closed: the credentials have expired\.$/);
    });

    it('a command warns of a secret in a flag, and hides it in the list of processes', async function () {
      if (process.platform !== 'linux') this.skip();
      const server = await serve(`authorization { user: u, password: "${SECRET}" }`);
      const args = [
        'consume',
        '--server',
        server.url,
        '--user',
        'u',
        '--password',
        SECRET,
        '--output',
        'none',
      ];
      const cli = startCli(args, { env: { HOME: temp() } });
      await cli.note(/^Warning: --password shows a secret .* set NATS_PASSWORD instead\.$/);
      await cli.note(/joined group/);
      const { readFileSync } = await import('node:fs');
      const seen = readFileSync(`/proc/${cli.pid}/cmdline`, 'utf8');
      assert.ok(!seen.includes(SECRET), seen);
      assert.match(seen, /^natspoc consume/);
      cli.signal('SIGTERM');
      const { stdout, stderr } = await cli.exited;
      assert.ok(!`${stdout}${stderr}`.includes(SECRET));
    });
  });

  describe('with a context of the nats CLI', () => {
    function context(name: string, value: object | string): void {
      const folder = path.join(temp(), '.config', 'nats', 'context');
      mkdirSync(folder, { recursive: true });
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      writeFileSync(path.join(folder, `${name}.json`), text);
    }
    const select = (name: string) =>
      writeFileSync(path.join(temp(), '.config', 'nats', 'context.txt'), `${name}\n`);

    it('a client uses a named context, or the selected context if no server is set; flags and environment take precedence', async () => {
      const server = await serve(`authorization { user: u, password: "${SECRET}" }`);
      context('prod', { description: 'x', url: server.url, user: 'u', password: SECRET, token: '' });
      context('dead', { url: 'nats://127.0.0.1:1' });
      await connects({}, '--context', 'prod');
      await connects({ NATS_CONTEXT: 'prod' }, '--stream', 'B', '--prefix', 'b');
      select('prod');
      await connects({}, '--stream', 'C', '--prefix', 'c');
      select('dead');
      await fails(
        3,
        /Cannot reach NATS at nats:\/\/127\.0\.0\.1:1 \(connection refused\)\..*, or change server in context dead\./,
        {},
      );
      await connects(
        { NATS_URL: server.url, NATS_USER: 'u', NATS_PASSWORD: SECRET },
        '--stream',
        'D',
        '--prefix',
        'd',
      );
      // An explicit user must not get the context's password.
      await fails(4, /refused the credentials/, { NATS_USER: 'u', NATS_CONTEXT: 'prod' });
    });

    it('a client finds a context in XDG_CONFIG_HOME, and the files of the context in the home folder', async () => {
      const user = nkeys.createUser();
      const server = await serve(`authorization { users = [{ nkey: ${user.getPublicKey()} }] }`);
      const folder = path.join(temp(), 'elsewhere', 'nats', 'context');
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(temp(), 'user.nk'), new TextDecoder().decode(user.getSeed()));
      writeFileSync(path.join(folder, 'x.json'), JSON.stringify({ url: server.url, nkey: '~/user.nk' }));
      await connects({ XDG_CONFIG_HOME: path.join(temp(), 'elsewhere'), NATS_CONTEXT: 'x' });
    });

    it('a client reports an invalid context of the nats CLI', async () => {
      context('good', { url: 'nats://127.0.0.1:1' });
      context('broken', `{"password": "${SECRET}`);
      context('nsc', { url: 'nats://127.0.0.1:1', nsc: 'nsc://op/acc/user' });
      context('wrong', { url: `ws://u:${SECRET}@x` });
      await fails(2, /There is no context none: the contexts are broken, good, nsc, wrong\./, {
        NATS_CONTEXT: 'none',
      });
      await fails(2, /Context broken: cannot read .*: it is not JSON/, { NATS_CONTEXT: 'broken' });
      await fails(2, /Context nsc uses nsc/, { NATS_CONTEXT: 'nsc' });
      await fails(2, /server in context wrong: .*ws:\/\/x.* is not nats/, { NATS_CONTEXT: 'wrong' });
      await fails(2, /--context: "..\/x" is not the name of a context|is not the name of a context/, {
        NATS_CONTEXT: '../x',
      });
    });
  });

  it('a client works in a JetStream domain and with another inbox prefix', async () => {
    const server = await serve(`
      jetstream { domain: hub }
      authorization { users = [{ user: u, password: p, permissions: { publish: ">", subscribe: ["_MINE.>", "$SRV.>", "natspoc.>"] } }] }`);
    const env = {
      NATS_URL: server.url,
      NATS_USER: 'u',
      NATS_PASSWORD: 'p',
      NATS_JS_DOMAIN: 'hub',
      NATS_INBOX_PREFIX: '_MINE',
    };
    await connects(env);
    const run = (...args: string[]) => runCli(args, { env: { HOME: temp(), ...env } });
    assert.equal((await run('publish', '--count', '20', '--keys', '5', '--quiet')).code, 0);
    const consumed = await run('consume', '--until-caught-up', '--output', 'none');
    assert.equal(consumed.code, 0, consumed.stderr);
    const status = await run('leases', '--json');
    assert.match(status.stdout, /"lag":0/);
  });
});
