import '../../src/top/ui/production.js';

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import xterm from '@xterm/headless';
import { renderToString } from 'ink';
import { createElement } from 'react';
import type { ReleaseOutcome } from '../../src/core/admin/release.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import type { FoundLetter } from '../../src/core/protocol/dead-letter.js';
import type { Operator } from '../../src/top/act/operator.js';
import type { Choice, Feed } from '../../src/top/feed.js';
import type { Model } from '../../src/top/model/model.js';
import { FrameStream } from '../../src/top/term/frame-stream.js';
import { KeyStream } from '../../src/top/term/key-stream.js';
import { LineTexts } from '../../src/top/term/line-texts.js';
import { Lines, Texts } from '../../src/top/ui/line.js';
import { mount } from '../../src/top/ui/mount.js';
import { line } from '../../src/top/view/text.js';
import { until } from '../support/until.js';
import { letter, watchable } from './lists.js';
import { group, play, streamFacts } from './support.js';

/** An in-memory terminal in place of this process's terminal. */
function openTerminal(size: { columns: number; rows: number }) {
  const shown = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  const stdin = Object.assign(new EventEmitter(), {
    setRawMode: () => {},
    setEncoding: () => stdin,
    resume: () => {},
    pause: () => {},
  });
  const texts = new LineTexts({ colors: true });
  const sent: string[] = [];
  let isOpen = false;
  const send = (bytes: string) => {
    if (!isOpen) return;
    sent.push(bytes);
    shown.write(bytes);
  };
  const output = new FrameStream(send, texts, () => size);
  const terminal = {
    texts,
    output,
    input: new KeyStream(stdin as unknown as NodeJS.ReadStream),
    open: () => {
      isOpen = true;
    },
    close: () => {
      isOpen = false;
    },
  };
  const screen = () =>
    Array.from(
      { length: size.rows },
      (_, row) => shown.buffer.active.getLine(row)?.translateToString(true) ?? '',
    ).join('\n');
  return { terminal, sent, screen, size, press: (keys: string) => stdin.emit('data', keys), output };
}

class FakeFeed implements Feed {
  readonly operator: Operator | undefined;
  readonly replay = undefined;
  choice: Choice | undefined;
  readonly intervals: number[] = [];
  model: Model;
  isStopped = false;
  #listener: (model: Model) => void = () => {};

  constructor(model: Model, operator?: Operator) {
    this.model = model;
    this.operator = operator;
  }
  listen(listener: (model: Model) => void): void {
    this.#listener = listener;
  }
  every(intervalMs: number): void {
    this.intervals.push(intervalMs);
  }
  stop(): void {
    this.isStopped = true;
  }
  show(model: Model): void {
    this.model = model;
    this.#listener(model);
  }
}

const options = { readonly: false, intervalMs: 1_000, env: {}, selection: {} };

describe('the screen of top, mounted', () => {
  const mounted: { close(): void }[] = [];
  afterEach(() => {
    for (const each of mounted.splice(0)) each.close();
  });
  const open = (size = { columns: 100, rows: 30 }, feed = new FakeFeed(play(group(2, 8)))) => {
    const opened = openTerminal(size);
    const crashes: unknown[] = [];
    const screen = mount(feed, opened.terminal, options, (error) => crashes.push(error));
    mounted.push(screen);
    return { ...opened, feed, screen: opened.screen, crashes, top: screen };
  };

  it('the screen draws immediately, follows the feed, and writes only changed rows', async () => {
    const { screen, sent, feed } = open();
    await until('the first frame is drawn', () => screen().includes('healthy'));
    const before = sent.length;
    feed.show(play([[1_000, { type: 'stream', facts: streamFacts(8, { messages: 4_321 }) }]], feed.model));
    await until('the change is drawn', () => screen().includes('stored 4,321'));
    assert.ok(!sent.slice(before).join('').includes('Partitions '), 'the same title is not written again');
    assert.ok(sent.slice(before).every((bytes) => bytes.startsWith('\u001b[?2026h')));
  });

  it('the screen handles every key of a batch in order', async () => {
    const { screen, press, feed } = open();
    await until('the first frame is drawn', () => screen().includes('▶ Partitions'));
    press('jjjjj\r');
    await until('the fifth partition is shown', () => screen().includes('Partition 4'));
    press('\t/fil\u001b[1;5Pter\r+');
    await until('the filter is shown', () => screen().includes('filter: filter'));
    assert.match(screen(), /▶ Members/);
    await until('the interval is shown', () => screen().includes('every 500 ms'));
    assert.match(screen(), /\? help {2}q quit [\s\S]* filter: filter {2}every 500 ms$/);
    assert.deepEqual(feed.intervals, [1_000, 500]);
  });

  it('the screen follows the size of the terminal', async () => {
    const { screen, size, output } = open();
    await until('the first frame is drawn', () => screen().includes('healthy'));
    Object.assign(size, { columns: 50, rows: 10 });
    output.resize();
    await until('the size is shown', () => screen().includes('This terminal is 50x10'));
  });

  it('the screen shows a notice, closes with q, and stops the feed', async () => {
    const { screen, press, top, feed, sent } = open();
    await until('the first frame is drawn', () => screen().includes('healthy'));
    top.tell('something happens');
    await until('the notice is shown', () => screen().includes('something happens'));
    press('q');
    await top.closed;
    assert.equal(feed.isStopped, true);
    const before = sent.length;
    feed.show(play(group(3, 8)));
    await nextTurn();
    assert.equal(sent.length, before);
  });

  it('the answer to a key is visible on a screen that was frozen a while ago', async () => {
    const { screen, press, feed } = open();
    await until('the first frame is drawn', () => screen().includes('▶ Partitions'));
    press(' j');
    await until('the screen is frozen', () => screen().includes('FROZEN'));
    feed.show(play([[60_000, { type: 'disconnected' }]], feed.model));
    await until('the later state is known', () => screen().includes('Disconnected for'));
    press('t');
    await until('the answer is shown', () => screen().includes('Nothing holds p0 up.'));
  });

  it('a notice that arrives after a change of the group recommends commands for the group of its action', async () => {
    const of = (name: string): Model => ({
      ...play(group(2, 8)),
      target: { servers: [], stream: 'S', group: name, bucket: 'B' },
    });
    let answer: (outcome: ReleaseOutcome) => void = () => {};
    const release = () =>
      new Promise<ReleaseOutcome>((resolve) => {
        answer = resolve;
      });
    // The test only releases.
    const operator = { release } as unknown as Operator;
    const feed = new FakeFeed(of('started'), operator);
    const { screen, press } = open({ columns: 160, rows: 30 }, feed);
    await until('the first frame is drawn', () => screen().includes('healthy'));
    feed.show(of('acted-on'));
    await until('the group is shown', () => screen().includes('acted-on'));
    press('jr');
    await until('the question is asked', () => screen().includes('yes'));
    press('y');
    await until('the action runs', () => screen().includes('Releasing p0 …'));
    feed.show(of('opened-later'));
    await until('the other group is shown', () => screen().includes('opened-later'));
    const message = 'a does not answer; "natspoc leases release --force" fences it';
    const outcome = {
      outcome: 'failed',
      from: 'a',
      to: null,
      message,
      forced: false,
      denied: false,
    } as const;
    answer({ ...outcome, partition: 0, epoch: 1, tookMs: 1 });
    await until('the outcome is told', () => screen().includes('does not answer'));
    assert.match(screen(), /"natspoc leases release --force --stream S --bucket B --group acted-on"/);
  });

  it('dead letters of another stream that are read late do not replace or close the list of the shown stream', async () => {
    const of = (stream: string): Model => ({
      ...play(group(2, 8)),
      target: { servers: [], stream, group: 'g', bucket: `${stream}_leases` },
    });
    const readings: { found: (letters: FoundLetter[]) => void; fail: (error: Error) => void }[] = [];
    const list = () => new Promise<FoundLetter[]>((found, fail) => readings.push({ found, fail }));
    // The test only lists dead letters.
    const operator = { letters: { list } } as unknown as Operator;
    const feed = new FakeFeed(of('FIRST'), operator);
    feed.choice = {
      groups: async () => ['FIRST', 'SECOND', 'THIRD'].map((stream) => watchable(stream, 'g')),
      open: (stream) => feed.show(of(stream)),
    };
    const { screen, press } = open(undefined, feed);
    const shows = (text: string) => until(`the screen shows ${text}`, () => screen().includes(text));
    await shows('▶ Partitions');
    for (const [i, stream] of ['FIRST', 'SECOND', 'THIRD'].entries()) {
      if (i > 0) {
        press('o');
        await shows('THIRD  ');
        press('j\r');
        await shows(`stream ${stream}  group g`);
      }
      press('L');
      await shows('loading …');
      assert.equal(readings.length, i + 1);
      if (i < 2) press('\u001b');
      await shows(i < 2 ? '▶ Partitions' : 'loading …');
    }
    const [first, second, third] = readings;
    third?.found([letter(7, 'out of pears')]);
    await shows('out of pears');
    first?.found([letter(7, 'no such customer')]);
    second?.fail(new NatspocError('failed', 'JetStream does not answer.'));
    await nextTurn();
    press('x');
    await shows('Drop dead letter 7?');
    assert.match(screen(), /out of pears/);
    assert.doesNotMatch(screen(), /no such customer|does not answer/);
  });

  it('keys that follow the choice of another group at once act on that group', async () => {
    const other: Model = {
      ...play(group(3, 8)),
      target: { servers: [], stream: 'OTHER', group: 'g', bucket: 'B' },
    };
    const feed = new FakeFeed(play(group(1, 8)));
    feed.choice = { groups: async () => [watchable('OTHER', 'g')], open: () => feed.show(other) };
    const { screen, press } = open(undefined, feed);
    await until('the first frame is drawn', () => screen().includes('▶ Partitions'));
    press('o');
    await until('the groups are listed', () => screen().includes('OTHER'));
    press('\r');
    press('jjr');
    await until('the question is asked', () => screen().includes('Release p1'));
    assert.match(screen(), /Release p1 from b\?/);
  });

  it('an error of a component is passed on without being drawn, in the first frame or later', async () => {
    const broken = { ...play(group(2, 8)), stream: { facts: null } } as unknown as Model;
    const first = open(undefined, new FakeFeed(broken));
    await until('the error is reported', () => first.crashes.length > 0);
    assert.ok(first.crashes[0] instanceof TypeError);
    const later = open();
    await until('the first frame is drawn', () => later.screen().includes('healthy'));
    later.feed.show(broken);
    await until('the error is reported', () => later.crashes.length > 0);
    assert.doesNotMatch(later.screen(), /TypeError|ERROR/);
  });

  it('the screen keeps no memory of drawn lines', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const texts = new LineTexts({ colors: true });
    let told = 0;
    /** Draws frames whose lines were never drawn before. Returns the size of the used heap. */
    const drawNew = async (frames: number): Promise<number> => {
      for (let i = 0; i < frames; i++) {
        const lines = Array.from({ length: 40 }, () => line(`${++told}`.padStart(300, '.')));
        const shown = createElement(Texts, { value: texts }, createElement(Lines, { of: lines }));
        const rows = texts.fill(renderToString(shown, { columns: 200 }));
        assert.equal(rows.length, 40);
        await nextTurn();
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await drawNew(20);
    const grown = (await drawNew(100)) - before;
    assert.ok(grown < 1_200_000, `${grown} bytes more after 100 frames`);
  });
});
