import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

describe('a full disk', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  let streams = 0;
  let place: string[];

  beforeEach(async () => {
    const stream = `F${++streams}`;
    place = ['--server', server.url, '--stream', stream, '--prefix', `${stream}.e`];
    const exit = await runCli(['publish', '{{Count}}', '--count', '100', '--keys', '10', '-q', ...place]);
    assert.equal(exit.code, 0, exit.stderr);
  });
  afterEach(stopAll);

  /** Runs a command with its stdout in `file`. No file can grow beyond 4 KiB. */
  const limited = (file: string, ...args: string[]) => limitedTo(8, file, ...args);
  const limitedTo = (
    blocks: number,
    file: string,
    ...args: string[]
  ): Promise<{ code: unknown; stderr: string }> =>
    new Promise((resolve) => {
      // `ulimit -f` counts in blocks of 512 bytes.
      const script = `ulimit -f ${blocks}; file=$1; shift; exec "$@" > "$file"`;
      const command = ['-c', script, 'sh', file, process.execPath, ENTRY, ...args, ...place];
      execFile('sh', command, (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }));
    });

  it('consume leaves with one line if its stdout is full, and commits no message whose line was not written', async () => {
    const file = join(folder(), 'out');
    const { code, stderr } = await limited(file, 'consume', '--output', 'ndjson');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^released p0\b/m);
    assert.match(stderr, /^Error: Cannot write to standard output: file too large \(EFBIG\)\.$/m);
    assert.doesNotMatch(stderr, /^\s+at /m);
    const written = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    const rest = await runCli(['consume', '--until-caught-up', '--output', 'ndjson', ...place]);
    const seen = [...written, ...rest.stdout.split('\n')].map((line) => /"data":"(\d+)"/.exec(line)?.[1]);
    assert.equal(new Set(seen).size, 100, 'no message is lost');
  });

  it('top ends with one line if its recording cannot be written', async () => {
    const file = join(folder(), 'seen.ndjson');
    // The recording is compressed, so the limit is smaller.
    const { code, stderr } = await limitedTo(1, '/dev/null', 'top', '--once', '--record', file);
    assert.deepEqual([code, stderr], [1, `Error: --record: cannot write ${file}: file too large (EFBIG).\n`]);
  });

  it('publish ends with one line if its log of confirmed messages cannot be written', async () => {
    const file = join(folder(), 'confirmed');
    const args = ['publish', 'x', '--count', '1000', '-q', '--confirmed', file];
    const { code, stderr } = await limited('/dev/null', ...args);
    assert.deepEqual([code, stderr], [1, `Error: Cannot write ${file}: file too large (EFBIG).\n`]);
  });
});
