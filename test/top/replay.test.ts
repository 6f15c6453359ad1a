import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TopEvent } from '../../src/top/model/events.js';
import { ReplayFeed } from '../../src/top/replay-feed.js';
import { bindingsFor, press } from '../../src/top/screen/keys.js';
import { startRecording } from '../../src/top/sources/recorder.js';
import { readRecording } from '../../src/top/sources/recording.js';
import { withTempFolder } from '../support/temp.js';
import { drawn, uiWith } from './drawn.js';
import { group, streamFacts, T0 } from './support.js';

/** Ten minutes of a group. Each second reports the number of stored messages. */
const EVENTS: TopEvent[] = [
  ...group(2, 8).map(([ms, body]): TopEvent => ({ at: T0 + ms, ...body })),
  ...Array.from(
    { length: 601 },
    (_, second): TopEvent => ({
      at: T0 + second * 1_000,
      type: 'stream',
      facts: streamFacts(8, { messages: second }),
    }),
  ),
];

describe('a replay', () => {
  const messages = (feed: ReplayFeed) => feed.model.stream?.facts.messages;

  it('a replay moves forward and back to any moment, as if it had been played up to that moment', () => {
    const feed = new ReplayFeed(EVENTS);
    const move = (by: number) => feed.replay({ do: 'move', by });
    move(125_000);
    assert.equal(messages(feed), 125);
    const forward = feed.model;
    move(400_000);
    assert.equal(messages(feed), 525);
    move(-400_000);
    assert.equal(messages(feed), 125);
    assert.deepEqual({ ...feed.model, replay: null }, { ...forward, replay: null });
    move(Number.NEGATIVE_INFINITY);
    assert.equal(feed.model.replay?.at, T0);
  });

  it('a replay stops at its end, and starts again from there', () => {
    const feed = new ReplayFeed(EVENTS);
    feed.finish();
    assert.deepEqual([messages(feed), feed.model.replay?.isPlaying], [600, false]);
    assert.equal(feed.model.now, T0 + 600_000, 'time stands still');
    feed.replay({ do: 'toggle' });
    assert.deepEqual([feed.model.replay?.at, feed.model.replay?.isPlaying], [T0, true]);
    feed.replay({ do: 'toggle' });
    assert.equal(feed.model.replay?.isPlaying, false);
    for (const _ of [1, 2, 3]) feed.replay({ do: 'faster' });
    assert.equal(feed.model.replay?.speed, 8);
    feed.replay({ do: 'slower' });
    assert.equal(feed.model.replay?.speed, 4);
  });

  it('a replay is marked as a replay, with its place, and has its own keys', () => {
    const feed = new ReplayFeed(EVENTS);
    feed.replay({ do: 'faster' });
    feed.replay({ do: 'move', by: 65_000 });
    const ui = uiWith({ replays: true, readonly: true });
    const rows = drawn(feed.model, ui, { columns: 80, rows: 24 });
    assert.match(rows[0] ?? '', / REPLAY {2}2x, 1m 5s of 10m {2}2026-01-0\d \d\d:01:05$/);
    assert.match(rows.at(-1) ?? '', /^\? help {2}q quit {2}space pause {2}> faster {2}< slower {2}\[ back/);
    const pressed = (key: string) =>
      press({ ui, model: feed.model, page: 5, helpEnd: 0, isMap: false }, key).command;
    assert.deepEqual(pressed('space'), { type: 'replay', step: { do: 'toggle' } });
    assert.deepEqual(pressed(']'), { type: 'replay', step: { do: 'move', by: 10_000 } });
    assert.ok(bindingsFor(uiWith()).every(({ during }) => during !== 'replay'));
  });
});

describe('a recording', () => {
  const folder = withTempFolder();

  it('a recording is compressed, bounded, and can be read although its process was killed', async () => {
    const path = join(folder(), 'seen');
    const recorder = await startRecording(path, 200_000);
    const written = EVENTS.filter((event) => recorder.write(event));
    assert.ok(written.length > 100 && written.length < EVENTS.length, `${written.length} events`);
    await recorder.close();
    const file = readFileSync(path);
    assert.ok(file.length < 20_000, `${file.length} bytes`);
    assert.deepEqual(await readRecording(path), written);
    // The file ends early, as if the recorder had died. Everything that was flushed before can still be read.
    writeFileSync(path, file.subarray(0, file.length - 400));
    const cut = await readRecording(path);
    assert.ok(cut.length > written.length / 2, `${cut.length} of ${written.length}`);
    assert.deepEqual(cut, written.slice(0, cut.length));
  });

  it('a full recording stays full, even for a smaller event', async () => {
    const path = join(folder(), 'full');
    const recorder = await startRecording(path, 200);
    const [small, large] = ['', 'x'.repeat(200)].map(
      (message): TopEvent => ({ at: 0, type: 'problem', what: 'lag', message }),
    );
    assert.ok(small && large);
    assert.deepEqual([small, large, small].map(recorder.write), [true, false, false]);
    await recorder.close();
    assert.deepEqual(await readRecording(path), [small]);
  });

  it('a recording of an earlier version, which is not compressed, is read as well', async () => {
    const path = join(folder(), 'old');
    writeFileSync(path, EVENTS.map((event) => `${JSON.stringify(event)}\n`).join(''));
    assert.equal((await readRecording(path)).length, EVENTS.length);
  });
});
