import '../src/top/ui/production.js';

import xterm, { type Terminal } from '@xterm/headless';
import { renderToString } from 'ink';
import { createElement } from 'react';
import type { TopEvent } from '../src/top/model/events.js';
import { initialModel, type Model } from '../src/top/model/model.js';
import { reduce } from '../src/top/model/reduce.js';
import { initialUi, type Ui } from '../src/top/screen/state.js';
import { FrameStream } from '../src/top/term/frame-stream.js';
import { LineTexts } from '../src/top/term/line-texts.js';
import { Texts } from '../src/top/ui/line.js';
import { Screen } from '../src/top/ui/screen.js';
import type { Size } from '../src/top/view/layout.js';

/** The screen as Ink lays it out; `texts` holds the texts of its lines. */
export function layOutScreen(model: Model, ui: Ui, size: Size, texts: LineTexts): string {
  const screen = createElement(Screen, { model, ui, size });
  return renderToString(createElement(Texts, { value: texts }, screen), { columns: size.columns });
}

/** A terminal that shows the screen at the end of a recording. */
export async function drawReplay(events: readonly TopEvent[], size: Size): Promise<Terminal> {
  const model = events.reduce(reduce, initialModel(events[0]?.at ?? 0));
  const ui = initialUi({ intervalMs: 1_000, readonly: false, host: '' });
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  const texts = new LineTexts({ colors: true });
  await new Promise<void>((resolve) => {
    const stream = new FrameStream(
      (bytes) => terminal.write(bytes, resolve),
      texts,
      () => size,
    );
    stream.write(layOutScreen(model, ui, size, texts));
  });
  return terminal;
}
