import { type Binding, bindingsFor } from '../screen/keys.js';
import type { Ui } from '../screen/state.js';
import type { Size } from './layout.js';
import { NOBODY } from './palette.js';
import { type Line, line, lineWidth, span, textWidth, wrap } from './text.js';

/** Blanks between keys and what they do, and between two columns. */
const GAP = 2;
/** Answers to a question are no keys of their own. */
const ANSWER = { shown: 'y n', help: 'answer a question; Enter does not' };
const SIGNS = `A B C … a consumer   ${NOBODY} nobody owns it   ! cannot be read`;

/** Groups of the key table under their names. */
function column(bindings: readonly Binding[], groups: readonly Binding['group'][]): Line[] {
  const sections = groups.map((group) => ({
    group,
    keys: [...bindings.filter((each) => each.group === group), ...(group === 'Act' ? [ANSWER] : [])],
  }));
  const widest = Math.max(...sections.flatMap(({ keys }) => keys.map(({ shown }) => textWidth(shown))));
  return sections.flatMap(({ group, keys }, i): Line[] => [
    ...(i > 0 ? [line('')] : []),
    line(group, { bold: true }),
    ...keys.map(({ shown, help }): Line => {
      const blanks = ' '.repeat(widest - textWidth(shown) + GAP);
      return [span(`  ${shown}${blanks}`, { bold: true }), span(help)];
    }),
  ]);
}

const widthOf = (lines: readonly Line[]): number => Math.max(...lines.map(lineWidth));

/** The key table as text, in two columns where they fit, and what the signs mean. */
function helpLines(ui: Ui, width: number): Line[] {
  const bindings = bindingsFor(ui);
  const [left, right] = [column(bindings, ['Move']), column(bindings, ['Look', 'Act'])];
  const start = widthOf(left) + GAP;
  const signs = wrap(SIGNS, width).map((text) => line(text, { dim: true }));
  if (start + widthOf(right) > width) {
    return [...column(bindings, ['Move', 'Look', 'Act']), line(''), ...signs];
  }
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, row): Line => {
    const begun = left[row] ?? [];
    return [...begun, span(' '.repeat(start - lineWidth(begun))), ...(right[row] ?? [])];
  });
  return [...lines, line(''), ...signs];
}

/** The help in the room that it has, and how far it can be scrolled: 0 where all of it is shown. */
export function helpView(ui: Ui, { columns, rows }: Size): { lines: Line[]; end: number } {
  const all = helpLines(ui, columns);
  if (all.length <= rows) return { lines: all, end: 0 };
  const shown = Math.max(1, rows - 1);
  const end = all.length - shown;
  const top = Math.min(ui.helpTop, end);
  const where = `↑ ↓ PgUp PgDn: ${top + 1}-${top + shown} of ${all.length} lines`;
  return { lines: [...all.slice(top, top + shown), line(where, { dim: true })], end };
}
