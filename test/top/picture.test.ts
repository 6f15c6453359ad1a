import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { drawReplay } from '../../scripts/draw.js';
import { terminalSvg } from '../../scripts/svg.js';
import { totalsOf } from '../../src/core/admin/group-status.js';
import { healthOf } from '../../src/top/model/health.js';
import { initialModel } from '../../src/top/model/model.js';
import { reduce } from '../../src/top/model/reduce.js';
import { memberRows, partitionRows, statusOf } from '../../src/top/model/select.js';
import { readRecording } from '../../src/top/sources/recording.js';

const RECORDING = fileURLToPath(new URL('../../docs/top.ndjson', import.meta.url));

describe('the recording for the picture', () => {
  it('the recording gives the expected final model: joins, a leave, a crash, a pause and a release', async () => {
    const events = await readRecording(RECORDING);
    const model = events.reduce(reduce, initialModel(events[0]?.at ?? 0));
    assert.deepEqual(healthOf(model), { level: 'ok', text: 'healthy, paused: p7' });
    assert.deepEqual(
      memberRows(model).map(({ name, partitions }) => [name, partitions.length]),
      [
        ['alice', 2],
        ['dave', 3],
        ['erin', 3],
      ],
    );
    assert.equal(totalsOf(statusOf(model)).owned, 8);
    const told = new Set(model.updates.map((each) => ('reason' in each ? each.reason : each.event)));
    for (const what of ['joined', 'left', 'died', 'claim', 'handover', 'paused'] as const) {
      assert.ok(told.has(what), what);
    }
    const [paused] = partitionRows(model).filter(({ state }) => state === 'paused');
    assert.equal(paused?.partition, 7);
    assert.ok((paused?.lag ?? 0) > 0);
  });

  it('the recording gives the same final model if every event of the group arrives twice, or late', async () => {
    const events = await readRecording(RECORDING);
    const once = events.reduce(reduce, initialModel(events[0]?.at ?? 0));
    const changes = events.filter(({ type }) => type === 'changes');
    const again = [...events, ...changes.reverse()].reduce(reduce, initialModel(events[0]?.at ?? 0));
    assert.deepEqual([...again.group.leases], [...once.group.leases]);
    assert.deepEqual([...again.members.keys()], [...once.members.keys()]);
    assert.deepEqual(again.updates, once.updates);
  });

  it('the recording is drawn as a terminal shows it', async () => {
    const terminal = await drawReplay(await readRecording(RECORDING), { columns: 150, rows: 44 });
    const svg = terminalSvg(terminal, 'natspoc top');
    for (const text of ['Partitions', 'healthy, paused: p7', 'alice', 'dead letters']) {
      assert.ok(svg.includes(text), text);
    }
  });
});

describe('a terminal as SVG', () => {
  const svgOf = (text: string): Promise<string> => {
    const terminal = new xterm.Terminal({ cols: 20, rows: 2, allowProposedApi: true });
    return new Promise((resolve) => terminal.write(text, () => resolve(terminalSvg(terminal, 't'))));
  };

  it('the SVG keeps colours, weight and inverse, each run at its column', async () => {
    const svg = await svgOf('ab \u001b[1;31mred\u001b[0m   \u001b[7mX\u001b[0m');
    assert.match(svg, /<text x="16" y="47">ab<\/text>/);
    assert.match(svg, /<text x="41.2" y="47" fill="#ff7b72" class="b">red<\/text>/);
    assert.match(svg, /<rect x="91.6" y="34" width="8.4" height="18" fill="#d5dbe3"\/>.*fill="#0d1117">X</);
  });

  it('the SVG draws the bars of a line as one path', async () => {
    const svg = await svgOf('a\u001b[32m██▄\u001b[0m');
    assert.match(svg, /<rect x="24.4" y="34" width="16.8" height="18" fill="#56d364"\/>/);
    assert.match(svg, /<rect x="41.2" y="43" width="8.4" height="9" fill="#56d364"\/>/);
    assert.match(svg, />a</);
  });

  it('the SVG escapes markup in the shown text', async () => {
    const svg = await svgOf('<b>&"');
    assert.match(svg, /&lt;b&gt;&amp;"/);
  });
});
