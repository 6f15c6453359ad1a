import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { withTempFolder } from '../support/temp.js';
import { Tmux } from './tmux.js';
import { ENTRY } from './top-terminal.js';

describe('natspoc demo in a terminal', function () {
  this.timeout(120_000);
  const folder = withTempFolder();
  let tmux: Tmux;

  const demo = async (size: { columns: number; rows: number }, duration: string): Promise<void> => {
    tmux = await Tmux.open(size, { TMPDIR: folder() });
    const flags = `--consumers 2 --rate 200 --duration ${duration}`;
    await tmux.type(`clear; echo BEFORE; ${process.execPath} ${ENTRY} demo ${flags}; echo AFTER=$?\n`);
  };

  afterEach(() => tmux?.close());

  it('the running demo shows top with the events below it; afterwards the demo prints the events and the verdict', async () => {
    await demo({ columns: 120, rows: 70 }, '8s');
    await tmux.shows(/Partitions[\s\S]*[0-9.]+ s {2}the publisher starts/);
    assert.equal(await tmux.variable('alternate_on'), '1');
    await tmux.shows(/partitions 8\/8 +members 3[\s\S]*[0-9.]+ s {2}carol joins/);
    const after = await tmux.shows(/AFTER=\d/, 60_000);
    assert.equal(await tmux.variable('alternate_on'), '0');
    assert.match(
      after,
      /BEFORE\n[\s\S]*carol joins\n[\s\S]*carol acquired[\s\S]*OK: nothing lost[\s\S]*\nAFTER=0/,
    );
    assert.equal(after.match(/the publisher starts/g)?.length, 1);
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('Ctrl-C ends the screen of the demo and stops all processes', async () => {
    await demo({ columns: 80, rows: 24 }, '60s');
    await tmux.shows(/healthy[\s\S]*the publisher starts/);
    await tmux.press('C-c');
    const after = await tmux.shows(/AFTER=\d/);
    assert.match(after, /Error: The demo was stopped before it finished\.\nAFTER=1/);
    assert.equal(await tmux.variable('cursor_flag'), '1');
    assert.deepEqual(readdirSync(folder()), []);
  });
});
