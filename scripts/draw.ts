import xterm, { type Terminal } from '@xterm/headless';
import type { TopEvent } from '../src/top/model/events.js';
import { initialModel } from '../src/top/model/model.js';
import { reduce } from '../src/top/model/reduce.js';
import { initialUi } from '../src/top/screen/state.js';
import { paint } from '../src/top/term/frame-writer.js';
import { Renderer } from '../src/top/ui/renderer.js';
import { frameOf } from '../src/top/view/frame.js';
import type { Size } from '../src/top/view/layout.js';

/** A terminal that shows the screen as it was when a recording ended. */
export async function drawReplay(events: readonly TopEvent[], size: Size): Promise<Terminal> {
  const model = events.reduce(reduce, initialModel(events[0]?.at ?? 0));
  const ui = initialUi({ intervalMs: 1_000, readonly: false, host: '' });
  // The package is CommonJS: its class is found on the default export only.
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  const written: Promise<void>[] = [];
  const renderer = new Renderer(
    (patches, fresh) => {
      written.push(new Promise((resolve) => terminal.write(paint(patches, fresh), resolve)));
    },
    { colors: true },
  );
  renderer.draw(frameOf(model, ui, size));
  renderer.close();
  await Promise.all(written);
  return terminal;
}
