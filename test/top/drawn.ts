import { stripVTControlCharacters } from 'node:util';
import { layOutScreen } from '../../scripts/draw.js';
import type { Model } from '../../src/top/model/model.js';
import { initialUi, type Ui } from '../../src/top/screen/state.js';
import { LineTexts } from '../../src/top/term/line-texts.js';
import type { Size } from '../../src/top/view/layout.js';

/** The state of a newly opened screen, with some changes. */
export const uiWith = (changes: Partial<Ui> = {}): Ui => ({
  ...initialUi({ intervalMs: 1_000, readonly: false, host: 'here' }),
  ...changes,
});

/** The rows of the screen as Ink draws them, with their colors. */
export function drawnRows(model: Model, ui: Ui, size: Size, colors = true): string[] {
  const texts = new LineTexts({ colors });
  return texts.fill(layOutScreen(model, ui, size, texts));
}

/** The rows of the screen as plain text. */
export const drawn = (model: Model, ui: Ui, size: Size): string[] =>
  drawnRows(model, ui, size).map((row) => stripVTControlCharacters(row).trimEnd());
