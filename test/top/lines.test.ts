import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { Feed } from '../../src/top/feed.js';
import { LineView, news } from '../../src/top/lines.js';
import type { Model } from '../../src/top/model/model.js';
import { runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';
import { gone, group, lease, play, session } from './support.js';
import { startConsumer, TopTerminal } from './top-terminal.js';

const before = play(group(2, 2));

describe('the changes of a group as lines', () => {
  it('the lines contain each change once', () => {
    const died = play(
      [
        [1_000, { type: 'changes', entries: [gone('a', 500)] }],
        [1_300, { type: 'changes', entries: [lease(0, 501, 'b', { from: 'a' })] }],
      ],
      before,
    );
    const said = news(before, died);
    assert.match(said[0] ?? '', /A a died/);
    assert.match(said[1] ?? '', /B b claimed p0 from a, 300 ms after its end/);
    const joined = play([[2_000, { type: 'changes', entries: [session('c', 600)] }]], died);
    const later = news(died, joined);
    assert.match(later[0] ?? '', /c joined/);
    assert.ok(later.every((line) => !line.includes('died')));
  });

  it('the lines contain changes of health, but not changes of durations', () => {
    const lost = play([[1_000, { type: 'changes', entries: [gone('a', 500)] }]], before);
    assert.match(news(before, lost).at(-1) ?? '', /health: unowned: p0/);
    assert.deepEqual(news(lost, play([[5_000, { type: 'tick' }]], lost)), []);
    const off = play([[1_000, { type: 'disconnected' }]], before);
    assert.match(news(before, off).at(-1) ?? '', /health: server gone/);
  });
});

describe('the view of a group as lines', () => {
  it('commands in the lines have the flags of top', async () => {
    const target = { servers: [], stream: 'ORDERS', group: 'g', bucket: 'B' };
    const message = 'Run "natspoc consume".';
    let changed: (model: Model) => void = () => {};
    const feed: Feed = {
      model: { ...before, target },
      ...{ operator: undefined, replay: undefined, choice: undefined },
      listen: (listener) => {
        changed = listener;
      },
      every: () => {},
      stop: () => {},
    };
    const [input, output] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
    const view = new LineView(feed, { input, output }, { stream: 'ORDERS' });
    view.open(1_000);
    let text = '';
    output.on('data', (part) => {
      text += part;
    });
    const says = (said: RegExp) => until(`the view says ${said}`, () => said.test(text));
    input.write('\n');
    await says(/"natspoc publish --rate 10 --stream ORDERS"/);
    Object.assign(feed, { model: { ...before, target, missing: message } });
    changed(feed.model);
    await says(/ {2}Run "natspoc consume --stream ORDERS"\./);
    input.write('\n');
    await says(/\nRun "natspoc consume --stream ORDERS"\./);
    view.close();
  });
});

describe('natspoc top for a screen reader', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  let terminal: TopTerminal;
  afterEach(async () => {
    await terminal?.close();
    await stopAll();
  });

  it('top for a screen reader prints the whole state, then the changes, line by line, without drawing', async () => {
    const first = startConsumer(server.url, 'first');
    await first.note(/claimed|acquired/);
    terminal = await TopTerminal.open({ columns: 160, rows: 50 }, folder(), {
      NATS_URL: server.url,
      INK_SCREEN_READER: 'true',
    });
    const { tmux } = terminal;
    await terminal.top();
    const all = await tmux.shows(/Changes follow, one per line/);
    assert.match(all, /healthy {2}partitions 8\/8 {2}members 1/);
    assert.doesNotMatch(all, /Timeline/);
    assert.equal(await tmux.variable('alternate_on'), '0');

    startConsumer(server.url, 'second');
    await tmux.shows(/second joined\n[\s\S]*B second got \d partitions from first/);
    await tmux.press('Enter');
    await tmux.shows(/healthy {2}partitions 8\/8 {2}members 2/);
    await tmux.type('q\n');
    await tmux.shows(/AFTER=0/);
  });

  it('top for a screen reader prints one snapshot without a terminal', async () => {
    const env = { NATS_URL: server.url, INK_SCREEN_READER: 'true' };
    const { code, stdout } = await runCli(['top'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /^Timeline/m);
  });
});
