import type { Outcome, Situation } from './outcome.js';
import { cursorOf, rowIds } from './rows.js';
import type { PanelId, Ui } from './state.js';

/** Moves the selection by `by` rows, or scrolls the help. */
export function move({ ui, model, helpEnd, isMap }: Situation, by: number): Outcome {
  if (ui.help) return { ui: { ...ui, helpTop: Math.max(0, Math.min(helpEnd, ui.helpTop + by)) } };
  const ids = rowIds(model, ui, ui.focus, isMap);
  const selected = cursorOf(model, ui, ui.focus);
  const at = selected === undefined ? -1 : ids.indexOf(selected);
  // In a log, the first selection is the last row.
  const isLog = ui.focus === 'updates' || ui.focus === 'messages';
  const from = at < 0 && isLog ? ids.length : at;
  const id = ids[Math.max(0, Math.min(ids.length - 1, from + by))];
  if (id === undefined) return { ui };
  const selecting = { ...ui, selected: { ...ui.selected, [ui.focus]: id } };
  // Open details follow the selection.
  return { ui: ui.detail === null ? selecting : { ...selecting, detail: id } };
}

/** Focuses another panel. */
export const focusOn = (ui: Ui, focus: PanelId): Outcome => ({ ui: { ...ui, focus, detail: null } });

/** Closes the first of these that is open: help or problems, details, selection, maximized panel, filter and notice. */
export function back({ ui }: Situation): Outcome {
  if (ui.help || ui.problems) return { ui: { ...ui, help: false, problems: false } };
  if (ui.detail !== null) return { ui: { ...ui, detail: null } };
  if (ui.selected[ui.focus] !== undefined) {
    const { [ui.focus]: _, ...selected } = ui.selected;
    return { ui: { ...ui, selected } };
  }
  if (ui.zoom) return { ui: { ...ui, zoom: false } };
  return { ui: { ...ui, filter: '', notice: null } };
}

/** Opens the selected row. Without a selected row, maximizes the panel. */
export function enter({ ui, model, isMap }: Situation): Outcome {
  const selected = cursorOf(model, ui, ui.focus);
  const isThere = selected !== undefined && rowIds(model, ui, ui.focus, isMap).includes(selected);
  return { ui: isThere ? { ...ui, detail: selected } : { ...ui, zoom: true } };
}
