import { updateId, visibleUpdates } from '../screen/rows.js';
import { updateLine } from '../view/updates.js';
import { describeWindow, windowOf } from '../view/window.js';
import { Lines } from './line.js';
import { Panel, type PanelProps } from './panel.js';

/** The events of the group, the newest last. */
export function Updates({ model, ui, height }: PanelProps) {
  const groups = visibleUpdates(model, ui);
  const panel = { id: 'updates', title: 'Status updates', model, ui, height } as const;
  if (groups.length === 0) return <Panel {...panel} />;
  const selected = groups.findIndex((group) => updateId(group) === ui.selected.updates);
  const shown = windowOf(groups.length, height - 1, selected, 'end');
  const lines = groups.slice(shown.start, shown.end).map((group, i) => {
    const spans = updateLine(model, group, { short: true });
    return shown.start + i === selected ? spans.map((each) => ({ ...each, inverse: true })) : spans;
  });
  return (
    <Panel {...panel} info={describeWindow(shown, groups.length)}>
      <Lines of={lines} />
    </Panel>
  );
}
