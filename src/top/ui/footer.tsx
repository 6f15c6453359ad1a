import { formatDuration } from '../../core/lib/units.js';
import { type Binding, bindingsFor } from '../screen/keys.js';
import type { Ui } from '../screen/state.js';
import { lineWidth, type Line as Spans, span, truncate } from '../view/text.js';
import { Ends, Line } from './line.js';

const BACK = { shown: 'Esc', hint: 'back' };
const IN_DETAIL: readonly Pick<Binding, 'shown' | 'hint'>[] = [
  BACK,
  { shown: '↓', hint: 'next' },
  { shown: '↑', hint: 'previous' },
];

/** The keys for the footer, the most important first. */
function hinted(ui: Ui): Pick<Binding, 'shown' | 'hint'>[] {
  // A list that replaces the panels shows its own keys.
  if (ui.groups || ui.letters) return [BACK];
  const all = bindingsFor(ui).filter(
    ({ hint, on }) => hint !== undefined && (on === undefined || on.includes(ui.focus)),
  );
  const first = all.filter(({ hint }) => hint === 'help' || hint === 'quit');
  const ofPanel = all.filter(({ on, acts, during }) => (on !== undefined && acts) || during === 'replay');
  if (ui.detail !== null) return [...first, ...IN_DETAIL, ...ofPanel];
  return [...first, ...ofPanel, ...all.filter((each) => !first.includes(each) && !ofPanel.includes(each))];
}

function hints(ui: Ui, room: number): Spans {
  let left = room;
  return hinted(ui).flatMap(({ shown, hint }) => {
    const [key = shown] = shown.split(' ');
    const text = ` ${hint}  `;
    left -= key.length + text.length;
    return left < 0 ? [] : [span(key, { bold: true }), span(text, { dim: true })];
  });
}

/** The keys, the filter and the interval. While the user types the filter, the footer shows nothing else. */
export function Footer({ ui, width }: { ui: Ui; width: number }) {
  if (ui.editing) {
    return <Line of={[span('filter: ', { bold: true }), span(ui.filter), span(' ', { inverse: true })]} />;
  }
  const filter =
    ui.filter === ''
      ? []
      : [span(` filter: ${truncate(ui.filter, width >> 1)} `, { inverse: true }), span(' ')];
  const every = ui.replays ? [] : [span(`every ${formatDuration(ui.intervalMs)}`, { dim: true })];
  const right = [...filter, ...every];
  return <Ends left={hints(ui, width - 1 - lineWidth(right))} right={right} />;
}
