import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli } from '../support/cli.js';
import { withTempFolder } from '../support/temp.js';

const MANIFEST = fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url));

describe('the help and errors of the command line', function () {
  this.timeout(30_000);
  const temp = withTempFolder();

  /** Wrong usage gives exit code 2 and one line with the error. The parser itself would write several lines. */
  const WRONG: [args: string, line: RegExp][] = [
    [
      'leases check --format xml',
      /^Error: --format: "xml" is not one of text, json, nagios\. See natspoc leases check --help\.$/,
    ],
    [
      'leases check --max-lag many',
      /^Error: --max-lag: "many" is not a whole number from 0, such as 500 or 10k\. See /,
    ],
    ['leases pin 3', /^Error: Missing --to\. See natspoc leases pin --help\.$/],
    ['leases history', /^Error: Missing PARTITION \(.*\)\. See natspoc leases history --help\.$/],
    ['leases history 1 2', /^Error: Unexpected argument: 2\. See /],
    ['leases --every 1s', /^Error: --every needs --watch\. See natspoc leases/],
    ['leases --bogus', /^Error: Unknown flag --bogus\. See natspoc leases/],
    ['leases juggle', /^Error: There is no command "leases juggle"\. See natspoc --help\.$/],
    [
      'leases relase 3',
      /^Error: There is no command "leases relase 3"\. Did you mean "leases release"\? See /,
    ],
    ['help publsh', /^Error: There is no command "publsh"\. Did you mean "publish"\? See natspoc --help\.$/],
    ['publsh', /^Error: There is no command "publsh"\. Did you mean "publish"\? See natspoc --help\.$/],
    [
      'consume --grup x',
      /^Error: Unknown flag --grup\. Did you mean --group\? See natspoc consume --help\.$/,
    ],
    [
      'stream tail --key a --partition 1',
      /^Error: --partition and --key exclude each other\. See natspoc stream tail --help\.$/,
    ],
    ['stream get x', /^Error: "x" is not a sequence: a whole number from 1\.$/],
    [
      'leases seek 1 --to never',
      /^Error: --to: "never" is not first, new, seq:N, a time such as 2026-01-31T08:00:00Z, or -1h, or a number of messages such as -100 or \+100\.$/,
    ],
    ['leases seek 1 --to time:5', /^Error: --to: "time:5" is not first, new, seq:N, a time/],
    [
      'publish --duration 366d',
      /^Error: --duration: "366d" is not a duration from 1ms to 365d, such as 30s\.$/,
    ],
    ['consume --work 25h', /^Error: --work: "25h" is not a duration from 0s to 1d, such as 50ms\.$/],
    ['consume --duration 10', /^Error: --duration: "10" is not a duration from 0s to 365d, such as 10m\.$/],
    [
      'consume --drain-timeout 2h',
      /^Error: --drain-timeout: "2h" is not a duration from 0s to 1h, such as 5s\.$/,
    ],
    ['leases --watch --every 30d', /^Error: --every: "30d" is not a duration from 1ms to 1d, such as 2s\.$/],
    [
      'leases check --stalled 400d',
      /^Error: --stalled: "400d" is not a duration from 0s to 365d, such as 1m\.$/,
    ],
    ['leases check --wait x', /^Error: --wait: "x" is not a duration from 0s to 365d, such as 15s\.$/],
    ['top --interval 30d', /^Error: --interval: "30d" is not a duration from 100ms to 1d, such as 1s\.$/],
    ['demo --duration 30d', /^Error: --duration: "30d" is not a duration from 1ms to 1d, such as 16s\.$/],
    [
      'demo --rate 0',
      /^Error: --rate: "0" is not a rate such as 500, 500\/s or 30\/m, up to 10000000 a second\.$/,
    ],
    [
      'stream create --max-age 200000d',
      /^Error: --max-age: "200000d" is not a duration from 1ms to 36500d, such as 7d\.$/,
    ],
    [
      'stream create --max-bytes 9000000GiB',
      /^Error: --max-bytes: "9000000GiB" is not a size from 1B to 8000000GiB, such as 500MiB\.$/,
    ],
    [
      'consume --buffer-bytes 65GiB',
      /^Error: --buffer-bytes: "65GiB" is not a size from 64KiB to 64GiB, such as 32MiB\.$/,
    ],
    [
      'consume --backoff 1s..2d',
      /^Error: --backoff: "1s\.\.2d" is not a duration from 0s to 1d, such as 100ms, or two, such as 100ms\.\.30s\.$/,
    ],
    ['consume --name=', /^Error: --name: "" is not 1 to 128 characters without control characters\.$/],
    ['leases --user a --token b', /^Error: --token and --user exclude each other: both are credentials\.$/],
    ['leases --group a.b', /^Error: --group: "a\.b" is not 1 to 64 letters, digits, - or _\.$/],
    ['leases --stream *', /^Error: --stream: "\*" is not 1 to 245 letters/],
  ];
  for (const [args, line] of WRONG) {
    it(`natspoc ${args} ends with exit code 2 and one line`, async () => {
      const { code, stdout, stderr } = await runCli(args.split(' '), { env: { HOME: temp() } });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, line);
      assert.equal(stderr.split('\n').length, 1);
    });
  }

  /** With exit code 2 a monitoring plugin would raise an alarm. */
  const UNKNOWN: [args: string, line: RegExp][] = [
    [
      'leases check --format nagios --max-lag abc',
      /^NATSPOC UNKNOWN - --max-lag: "abc" is not a whole number from 0, such as 500 or 10k\. See /,
    ],
    ['leases check --stalled abc --format=nagios', /^NATSPOC UNKNOWN - --stalled: "abc" is not a duration/],
    ['leases check --format nagios --bogus', /^NATSPOC UNKNOWN - Unknown flag --bogus\. See /],
    ['leases check --format nagios --group a.b', /^NATSPOC UNKNOWN - --group: "a\.b" is not/],
    [
      'leases check --format nagios --timeout 500ms --server nats://127.0.0.1:1',
      /^NATSPOC UNKNOWN - Cannot reach NATS/,
    ],
  ];
  for (const [args, line] of UNKNOWN) {
    it(`natspoc ${args} reports UNKNOWN to a monitor`, async () => {
      const { code, stdout, stderr } = await runCli(args.split(' '), { env: { HOME: temp() } });
      assert.equal(code, 3, stdout);
      assert.equal(stderr, '');
      assert.match(stdout, line);
      assert.equal(stdout.split('\n').length, 1);
    });
  }

  it('natspoc leases check --format json reports errors like --json', async () => {
    const dead = ['--timeout', '500ms', '--server', 'nats://127.0.0.1:1'];
    for (const [args, exitCode] of [
      [dead, 3],
      [['--stalled', 'abc'], 2],
    ] as const) {
      const command = ['leases', 'check', ...args];
      const env = { HOME: temp() };
      const [asked, usual] = await Promise.all([
        runCli([...command, '--format', 'json'], { env }),
        runCli([...command, '--json'], { env }),
      ]);
      assert.deepEqual(asked, usual);
      assert.equal(asked.code, exitCode);
      assert.equal(JSON.parse(asked.stdout).error.exitCode, exitCode);
    }
  });

  for (const command of ['server', 'demo']) {
    for (const [what, env] of [
      ['', {}],
      [', even if the variable is empty', { NATS_SERVER_BIN: '' }],
    ] as const) {
      it(`natspoc ${command} runs the server in .env${what}`, async () => {
        writeFileSync(path.join(temp(), '.env'), 'NATS_SERVER_BIN=/no/such/server\n');
        const exit = await runCli([command], { cwd: temp(), env: { HOME: temp(), ...env } });
        assert.deepEqual(exit.stderr.split('\n'), [
          'NATS_SERVER_BIN in .env: the server is /no/such/server',
          'Error: NATS_SERVER_BIN=/no/such/server is not an executable file.',
        ]);
        assert.equal(exit.code, 2);
      });
    }

    it(`natspoc ${command} does not run a relative path in .env, or a server found through .env`, async () => {
      for (const line of ['NATS_SERVER_BIN=./evil', 'NATS_SERVER_BIN=evil/nats-server']) {
        writeFileSync(path.join(temp(), '.env'), `${line}\n`);
        const exit = await runCli([command], { cwd: temp(), env: { HOME: temp() } });
        assert.match(exit.stderr, /^Error: NATS_SERVER_BIN in \.env: "\S+" is not an absolute path\.$/);
        assert.equal(exit.code, 2);
      }
      writeFileSync(path.join(temp(), 'nats-server'), '#!/bin/sh\ntouch evil\n', { mode: 0o755 });
      writeFileSync(path.join(temp(), '.env'), `PATH=${temp()}\nXDG_CACHE_HOME=${temp()}\n`);
      // No server can be found or fetched.
      const env = { HOME: temp(), PATH: '/nowhere', NATS_SERVER_BIN: '/no/such/server' };
      const exit = await runCli([command], { cwd: temp(), env });
      assert.equal(exit.stderr, 'Error: NATS_SERVER_BIN=/no/such/server is not an executable file.');
      assert.ok(!existsSync(path.join(temp(), 'evil')));
    });
  }

  it('a pipe, a device or a huge file is refused immediately, with one line: .env, contexts, credentials and handlers', async () => {
    const home = temp();
    const run = (args: string[], env: Record<string, string> = {}) =>
      runCli(args, {
        cwd: home,
        env: { HOME: home, NATS_TIMEOUT: '1s', NATS_URL: 'nats://127.0.0.1:1', ...env },
      });
    const refused = async (args: string[], line: RegExp, env?: Record<string, string>) => {
      const { code, stderr } = await run(args, env);
      assert.match(stderr, line, args.join(' '));
      assert.equal(stderr.split('\n').length, 1);
      assert.ok(code === 2 || code === 1, String(code));
    };
    const dotenv = path.join(home, '.env');
    mkdirSync(dotenv);
    assert.equal((await run(['leases'])).code, 3, 'a folder named .env is ignored');
    rmSync(dotenv, { recursive: true });
    const big = 'x'.repeat(65 * 1_024);
    for (const [make, why] of [
      [() => execFileSync('mkfifo', [dotenv]), 'it is not a regular file'],
      [() => symlinkSync('/dev/zero', dotenv), 'it is not a regular file'],
      [() => writeFileSync(dotenv, `A=${big}\n`), 'it is larger than 65536 bytes'],
    ] as const) {
      make();
      for (const command of [['leases'], ['server']]) {
        await refused(command, new RegExp(`^Error: \\.env of this folder cannot be read: ${why}\\.$`));
      }
      rmSync(dotenv);
    }
    const contexts = path.join(home, '.config', 'nats', 'context');
    mkdirSync(contexts, { recursive: true });
    execFileSync('mkfifo', [path.join(contexts, 'pipe.json'), path.join(contexts, '..', 'context.txt')]);
    writeFileSync(path.join(contexts, 'big.json'), big);
    await refused(
      ['leases', '--context', 'pipe'],
      /^Error: Context pipe: cannot read .*: it is not a regular file\.$/,
    );
    await refused(
      ['leases', '--context', 'big'],
      /^Error: Context big: .*: it is larger than 65536 bytes\.$/,
    );
    await refused(
      ['leases'],
      /^Error: The selected context: cannot read .*context\.txt: it is not a regular file\.$/,
      {
        NATS_URL: '',
      },
    );
    for (const flag of ['--creds', '--nkey', '--tlsca']) {
      await refused(
        ['leases', flag, '/dev/zero'],
        new RegExp(`^Error: ${flag}: cannot read /dev/zero: it is not a regular`),
      );
    }
    await refused(
      ['consume', '--handler', '/dev/zero'],
      /^Error: --handler: \/dev\/zero is not a regular file\.$/,
    );
    execFileSync('mkfifo', [path.join(home, 'handler.js')]);
    await refused(
      ['consume', '--handler', 'handler.js'],
      /^Error: --handler: handler\.js is not a regular file\.$/,
    );
  });

  it('the usage line of a command names its arguments', async () => {
    const usageOf = async (...command: string[]) =>
      /USAGE\n *(.*)\n/.exec((await runCli([...command, '--help'])).stdout)?.[1];
    assert.equal(await usageOf('groups', 'delete'), '$ natspoc groups delete NAME [FLAGS]');
    assert.equal(await usageOf('groups', 'export'), '$ natspoc groups export [NAME] [FLAGS]');
    assert.equal(await usageOf('leases', 'seek'), '$ natspoc leases seek [PARTITION...] [FLAGS]');
    assert.equal(await usageOf('leases', 'pin'), '$ natspoc leases pin PARTITION... [FLAGS]');
  });

  it('help and -h show the help, version and -v show the version', async () => {
    const env = { HOME: temp() };
    const [help, version] = [
      await runCli(['consume', '--help'], { env }),
      await runCli(['--version'], { env }),
    ];
    for (const args of [
      ['help', 'consume'],
      ['consume', '-h'],
    ])
      assert.deepEqual((await runCli(args, { env })).stdout, help.stdout);
    for (const args of [['version'], ['-v']])
      assert.deepEqual((await runCli(args, { env })).stdout, version.stdout);
  });

  it('a repeatable flag takes one value each time', async () => {
    const manifest: unknown = JSON.parse(readFileSync(MANIFEST, 'utf8'));
    assert.ok(manifest instanceof Object && 'commands' in manifest && manifest.commands instanceof Object);
    const several: string[] = [];
    for (const [id, { flags }] of Object.entries(manifest.commands)) {
      for (const [name, flag] of Object.entries<{ multiple?: boolean }>(flags)) {
        if (flag.multiple) several.push(`${id} --${name}`);
      }
    }
    assert.deepEqual(
      several.sort(),
      ['exporter --group', 'publish --header', 'stream:trim --except-group'],
      'each repeatable flag has a case below',
    );
    const env = { HOME: temp(), NATS_URL: 'nats://127.0.0.1:1' };
    for (const args of [
      'stream trim --except-group a b',
      'publish -H a:b data more -H c:d',
      'exporter --group a b',
    ]) {
      const exit = await runCli(args.split(' '), { env });
      assert.match(exit.stderr, /^Error: Unexpected argument: (b|more)\./);
    }
  });

  it('every command has a summary, examples and --json; commands that connect have all connection flags', () => {
    const manifest: unknown = JSON.parse(readFileSync(MANIFEST, 'utf8'));
    assert.ok(manifest instanceof Object && 'commands' in manifest && manifest.commands instanceof Object);
    const commands = Object.entries(manifest.commands);
    assert.ok(commands.length > 20);
    for (const [id, { summary, examples, flags }] of commands) {
      assert.ok(summary, `${id} has a summary`);
      assert.ok(examples?.length > 0, `${id} has examples`);
      assert.ok(flags.json, `${id} has --json`);
      const local = ['server', 'demo'].includes(id);
      for (const flag of ['server', 'creds', 'tlsfirst', 'js-domain']) {
        assert.ok(local || flags[flag], `${id} has --${flag}`);
      }
    }
  });

  it('the shell completes commands and flags', async () => {
    const env = { HOME: temp(), XDG_CACHE_HOME: path.join(temp(), 'cache') };
    const { code, stdout } = await runCli(['autocomplete', 'script', 'bash'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /NATSPOC_AC_BASH_SETUP_PATH=\S+ && test -f/);
    assert.equal((await runCli(['autocomplete', '--refresh-cache'], { env })).code, 0);
    const folder = path.join(temp(), 'cache', 'natspoc', 'autocomplete', 'functions', 'bash');
    const completions = readFileSync(path.join(folder, 'natspoc.bash'), 'utf8');
    assert.match(completions, /leases:release .*--force/);
    assert.match(completions, /stream:trim .*--dry-run/);
  });
});
