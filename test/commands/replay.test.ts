import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, stopAll } from '../support/cli.js';
import { withTempFolder } from '../support/temp.js';

describe('an invalid recording', function () {
  this.timeout(60_000);
  const folder = withTempFolder();
  afterEach(stopAll);

  const file = (text: string): string => {
    const path = join(folder(), 'file');
    writeFileSync(path, text);
    return path;
  };
  const lines = (...events: object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const tick = { at: 2, type: 'tick' };

  for (const [what, text] of [
    ['an event without what belongs to it', lines({ at: 1, type: 'snapshot' }, tick)],
    [
      'a partition count that no memory holds',
      lines({ at: 1, type: 'found', partitions: 1e9, prefix: 'a' }, tick),
    ],
    ['a time that no calendar has', lines({ at: 1e300, type: 'tick' }, tick)],
    ['an event of no known type', lines({ at: 1, type: 'constructor' }, tick)],
    ['no JSON', 'x\ny\n'],
    ['nothing', ''],
  ] as const) {
    it(`is refused with one line: ${what}`, async () => {
      const path = file(text);
      const exit = await runCli(['top', '--once', '--replay', path]);
      assert.deepEqual(
        [exit.code, exit.stdout, exit.stderr],
        [2, '', `Error: --replay: ${path} is not a recording of natspoc top (line 1).`],
      );
    });
  }

  it('is refused with one line, in bounded memory, if a line never ends', async () => {
    const exit = await runCli(['top', '--once', '--replay', '/dev/zero'], {
      nodeArgs: ['--max-old-space-size=256'],
    });
    const line = 'Error: --replay: /dev/zero is not a recording of natspoc top: a line has no end.';
    assert.deepEqual([exit.code, exit.stderr], [2, line]);
  });
});
