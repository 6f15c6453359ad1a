import { type Binding, bindingsFor } from '../screen/keys.js';
import type { Ui } from '../screen/state.js';
import type { Size } from './layout.js';
import { UNOWNED } from './palette.js';
import { type Line, line, lineWidth, span, textWidth, wrap } from './text.js';

/** Blanks between keys and their help, and between two columns. */
export const GAP = 2;
const SIGNS = [
  'y n answer a question; Enter does not',
  'A B C … a member',
  `${UNOWNED} not owned`,
  '▁▃▅▇ lag',
  '! needs attention, or cannot be read',
  '↻ retries',
  '= paused',
];
const FIXED = '\u00a0';

function column(bindings: readonly Binding[], groups: readonly Binding['group'][]): Line[] {
  const sections = groups.map((group) => ({
    group,
    keys: bindings.filter((each) => each.group === group),
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

const GROUPS = ['Move', 'Look', 'Act'] as const;

const widthOf = (lines: readonly Line[]): number => Math.max(...lines.map(lineWidth));

/**
 * The visible part of the help: the key table, in columns if they fit, and the legend of signs. `end` is how far the help can be scrolled.
 */
export function helpView(ui: Ui, { columns, rows }: Size): { columns: Line[][]; below: Line[]; end: number } {
  const bindings = bindingsFor(ui);
  const apart = GROUPS.map((group) => column(bindings, [group]));
  const isWide = apart.reduce((sum, lines) => sum + widthOf(lines), 2 * GAP) <= columns;
  const all = isWide ? apart : [column(bindings, GROUPS)];
  const height = Math.max(...all.map(({ length }) => length));
  const whole = SIGNS.map((sign) => sign.replaceAll(' ', FIXED)).join('   ');
  const signs = wrap(whole, columns).map((text) => line(text.replaceAll(FIXED, ' '), { dim: true }));
  if (height + 1 + signs.length <= rows) return { columns: all, below: [line(''), ...signs], end: 0 };
  const shown = Math.max(1, rows - 1 - signs.length);
  const end = Math.max(0, height - shown);
  const top = Math.min(ui.helpTop, end);
  const where = `↑ ↓ PgUp PgDn: lines ${top + 1} to ${Math.min(height, top + shown)} of ${height}`;
  return {
    columns: all.map((lines) => lines.slice(top, top + shown)),
    below: [...signs, line(where, { dim: true })],
    end,
  };
}
