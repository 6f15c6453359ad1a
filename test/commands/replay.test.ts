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
    ['an event without its fields', lines({ at: 1, type: 'snapshot' }, tick)],
    [
      'too many partitions for any memory',
      lines({ at: 1, type: 'found', partitions: 1e9, prefix: 'a' }, tick),
    ],
    ['a time outside any calendar', lines({ at: 1e300, type: 'tick' }, tick)],
    ['an event of an unknown type', lines({ at: 1, type: 'constructor' }, tick)],
    ['text that is not JSON', 'x\ny\n'],
    ['nothing', ''],
  ] as const) {
    it(`top --replay refuses an invalid recording with one line: ${what}`, async () => {
      const path = file(text);
      const exit = await runCli(['top', '--once', '--replay', path]);
      assert.deepEqual(
        [exit.code, exit.stdout, exit.stderr],
        [2, '', `Error: --replay: ${path} is not a recording of natspoc top (line 1).`],
      );
    });
  }

  it('top --replay refuses a recording whose line never ends, with one line and in bounded memory', async () => {
    const exit = await runCli(['top', '--once', '--replay', '/dev/zero'], {
      nodeArgs: ['--max-old-space-size=256'],
    });
    const line = 'Error: --replay: /dev/zero is not a recording of natspoc top: a line has no end.';
    assert.deepEqual([exit.code, exit.stderr], [2, line]);
  });
});
