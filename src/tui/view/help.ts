import { type Binding, bindingsFor } from '../screen/keys.js';
import type { Ui } from '../screen/state.js';
import { NOBODY } from './palette.js';
import { type Line, line, lineWidth, padTo, span, truncateLine } from './text.js';

const KEY_WIDTH = 11;
const LEFT_WIDTH = 42;

/** One group of the key table under its name. */
function section(bindings: readonly Binding[], group: Binding['group']): Line[] {
  return [
    line(group, { bold: true }),
    ...bindings
      .filter((binding) => binding.group === group)
      .map(({ shown, help }): Line => [span(padTo(`  ${shown}`, KEY_WIDTH + 2), { bold: true }), span(help)]),
  ];
}

/** The key table as text in two columns, and what the signs mean. */
export function helpLines(ui: Ui, width: number): Line[] {
  const bindings = bindingsFor(ui);
  const left = section(bindings, 'Move');
  const right = [...section(bindings, 'Look'), line(''), ...section(bindings, 'Act')];
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, row): Line => {
    const start = left[row] ?? [];
    const gap = span(' '.repeat(Math.max(1, LEFT_WIDTH - lineWidth(start))));
    return [...start, gap, ...(right[row] ?? [])];
  });
  const signs = `A B C …  a consumer      ${NOBODY}  nobody owns it      !  cannot be read`;
  return [...lines, line(''), line(signs, { dim: true })].map((each) => truncateLine(each, width));
}
