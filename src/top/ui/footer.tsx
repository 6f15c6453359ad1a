import { formatDuration } from '../../core/lib/units.js';
import { type Binding, bindingsFor } from '../screen/keys.js';
import type { Ui } from '../screen/state.js';
import { lineWidth, type Line as Spans, span, truncate } from '../view/text.js';
import { Ends, Line } from './line.js';

/** Keys with a word for the footer, the most important first, the others as in the table. */
function hinted(ui: Ui): Binding[] {
  const all = bindingsFor(ui).filter(({ hint }) => hint !== undefined);
  const first = (binding: Binding) => binding.hint === 'quit' || binding.hint === 'help';
  return [...all.filter(first), ...all.filter((binding) => !first(binding))];
}

/** As many keys as fit into `room` columns. */
function hints(ui: Ui, room: number): Spans {
  let left = room;
  return hinted(ui).flatMap(({ shown, hint }) => {
    const [key = shown] = shown.split(' ');
    const text = ` ${hint}  `;
    left -= key.length + text.length;
    return left < 0 ? [] : [span(key, { bold: true }), span(text, { dim: true })];
  });
}

/** The keys, the filter and the interval; or the filter while it is typed. */
export function Footer({ ui, width }: { ui: Ui; width: number }) {
  if (ui.editing) {
    return <Line of={[span('filter: ', { bold: true }), span(ui.filter), span(' ', { inverse: true })]} />;
  }
  const filter =
    ui.filter === ''
      ? []
      : [span(` filter: ${truncate(ui.filter, width >> 1)} `, { inverse: true }), span(' ')];
  const right = [...filter, span(`every ${formatDuration(ui.intervalMs)}`, { dim: true })];
  return <Ends left={hints(ui, width - 1 - lineWidth(right))} right={right} />;
}
