import { visibleMembers } from '../screen/rows.js';
import { emptyLine } from '../view/empty.js';
import { memberTable } from '../view/members.js';
import { describeWindow } from '../view/window.js';
import { Line } from './line.js';
import { Panel, type PanelProps } from './panel.js';
import { TableRows, tableWindow } from './table-rows.js';

/** Who is in the group, with rate, lag and memory. */
export function Members({ model, ui, width, height }: PanelProps) {
  const rows = visibleMembers(model, ui);
  const frame = { title: 'Members', isFocused: ui.focus === 'members', height };
  if (rows.length === 0) {
    return (
      <Panel {...frame}>
        <Line of={emptyLine('members', model, ui)} />
      </Panel>
    );
  }
  const selected = rows.findIndex(({ member }) => member.id === ui.selected.members);
  const shown = tableWindow(rows.length, height - 1, selected, 'start');
  const table = memberTable(model, rows.slice(shown.start, shown.end), width, selected - shown.start);
  return (
    <Panel {...frame} info={`${describeWindow(shown, rows.length)}, by ${ui.memberSort}`}>
      <TableRows table={table} height={height - 1} />
    </Panel>
  );
}
