import { updateId, visibleUpdates } from '../screen/rows.js';
import { emptyLine } from '../view/empty.js';
import { updateLine } from '../view/updates.js';
import { describeWindow, windowOf } from '../view/window.js';
import { Line } from './line.js';
import { Panel, type PanelProps } from './panel.js';

/** What has happened to the group, the newest last. */
export function Updates({ model, ui, height }: PanelProps) {
  const groups = visibleUpdates(model, ui);
  const frame = { title: 'Status updates', isFocused: ui.focus === 'updates', height };
  if (groups.length === 0) {
    return (
      <Panel {...frame}>
        <Line of={emptyLine('updates', model, ui)} />
      </Panel>
    );
  }
  const selected = groups.findIndex((group) => updateId(group) === ui.selected.updates);
  const shown = windowOf(groups.length, height - 1, selected, 'end');
  return (
    <Panel {...frame} info={describeWindow(shown, groups.length)}>
      {groups.slice(shown.start, shown.end).map((group, i) => {
        const spans = updateLine(model, group);
        const isSelected = shown.start + i === selected;
        return (
          <Line
            key={updateId(group)}
            of={isSelected ? spans.map((each) => ({ ...each, inverse: true })) : spans}
          />
        );
      })}
    </Panel>
  );
}
