import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli } from '../support/cli.js';
import { withTempFolder } from '../support/temp.js';

const MANIFEST = fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url));

describe('what the command line says about itself', function () {
  this.timeout(30_000);
  const temp = withTempFolder();

  /** Wrong usage is exit code 2 and one line that says what is wrong, where the parser needs several. */
  const WRONG: [args: string, line: RegExp][] = [
    [
      'leases check --format xml',
      /^Error: --format: "xml" is not one of text, json, nagios\. See natspoc leases check --help\.$/,
    ],
    ['leases check --max-lag many', /^Error: --max-lag: expected an integer but received: many\. See /],
    ['leases pin 3', /^Error: Missing --to\. See natspoc leases pin --help\.$/],
    ['leases history', /^Error: Missing PARTITION \(.*\)\. See natspoc leases history --help\.$/],
    ['leases history 1 2', /^Error: Unexpected argument: 2\. See /],
    ['leases --every 1s', /^Error: --every needs --watch\. See natspoc leases/],
    ['leases --bogus', /^Error: Unknown flag --bogus\. See natspoc leases/],
    ['leases juggle', /^Error: There is no command "leases juggle"\. See natspoc --help\.$/],
    [
      'stream tail --key a --partition 1',
      /^Error: --partition and --key exclude each other\. See natspoc stream tail --help\.$/,
    ],
    ['stream get x', /^Error: "x" is not a sequence: a whole number from 1\.$/],
    [
      'leases seek 1 --to never',
      /^Error: --to: "never" is not first, last, seq:N, time:ISO-8601, -100 or \+100\.$/,
    ],
    ['leases --group a.b', /^Error: --group: "a\.b" is not 1 to 64 letters, digits, - or _\.$/],
    ['leases --stream *', /^Error: --stream: "\*" is not 1 to 64 letters/],
  ];
  for (const [args, line] of WRONG) {
    it(`natspoc ${args}`, async () => {
      const { code, stdout, stderr } = await runCli(args.split(' '), { env: { HOME: temp() } });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, line);
      assert.equal(stderr.split('\n').length, 1);
    });
  }

  it('every command has a summary, examples and --json, and those that connect all flags for that', () => {
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

  it('shell completion knows the commands and their flags', async () => {
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
