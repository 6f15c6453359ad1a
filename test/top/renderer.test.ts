import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { initialUi } from '../../src/top/screen/state.js';
import type { Patch } from '../../src/top/term/frame-writer.js';
import { Renderer } from '../../src/top/ui/renderer.js';
import { frameOf } from '../../src/top/view/frame.js';
import { segmentsOf } from '../../src/top/view/segments.js';
import { line } from '../../src/top/view/text.js';
import { group, play } from './support.js';

const size = { columns: 120, rows: 40 };
const model = play(group(2, 8));
const ui = initialUi({ intervalMs: 1_000, readonly: false, host: 'here' });

describe('the renderer', () => {
  const drawn: { patches: Patch[]; fresh: boolean }[] = [];
  const renderer = new Renderer((patches, fresh) => drawn.push({ patches, fresh }), { colors: true });
  after(() => renderer.close());
  const draw = (frame = frameOf(model, ui, size)) => {
    drawn.length = 0;
    renderer.draw(frame);
    return drawn[0];
  };

  it('draws every line of the screen once, then only what has changed', () => {
    const first = draw();
    assert.equal(first?.fresh, true);
    assert.equal(first?.patches.length, size.rows);
    assert.equal(draw(), undefined);
    const moved = draw(frameOf(model, { ...ui, selected: { partitions: '3' } }, size));
    assert.equal(moved?.fresh, false);
    assert.ok((moved?.patches.length ?? 0) <= 2, `${moved?.patches.length} lines`);
  });

  it('draws the same text that the view has made, each line in its row', () => {
    renderer.forget();
    const again = draw();
    const segments = segmentsOf(frameOf(model, ui, size));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is left out
    const bare = (text: string) => text.replace(/\u001b\[[0-9;]*m/g, '').trimEnd();
    for (const [i, { row, spans }] of segments.entries()) {
      const patch = again?.patches[i];
      assert.equal(patch?.row, row);
      assert.equal(
        bare(patch?.text ?? ''),
        spans
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      );
    }
  });

  it('clears the screen when panels have other places', () => {
    assert.equal(draw(frameOf(model, { ...ui, zoom: true }, size))?.fresh, false);
    assert.equal(draw(frameOf(model, ui, { columns: 200, rows: 60 }))?.fresh, true);
  });

  it('uses no colours where none are wanted', () => {
    const plain: Patch[] = [];
    const colorless = new Renderer((patches) => plain.push(...patches), { colors: false });
    colorless.draw(frameOf(model, ui, size));
    colorless.close();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    assert.doesNotMatch(plain.map(({ text }) => text).join(''), /\u001b\[(3|4|9|10)[0-9]m/);
  });

  it('keeps nothing of what it has drawn', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const frame = frameOf(model, ui, size);
    let told = 0;
    /** Frames of which no line was ever drawn before. */
    const drawNew = async (frames: number): Promise<number> => {
      for (let i = 0; i < frames; i++) {
        const header = Array.from({ length: size.rows - 1 }, (_, row) => line(`${told++} in row ${row}`));
        draw({ ...frame, header, bands: [], body: [] });
        await nextTurn();
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await drawNew(50);
    const grown = (await drawNew(250)) - before;
    assert.ok(grown < 400_000, `${grown} bytes more after 250 frames`);
  });
});
