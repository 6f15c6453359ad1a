import { cursorOf, visibleMembers } from '../screen/rows.js';
import { memberTable } from '../view/members.js';
import { type PanelProps, RowsPanel } from './panel.js';

/** The members of the group with rate, lag and memory. */
export function Members(props: PanelProps) {
  const { model, ui } = props;
  const rows = visibleMembers(model, ui);
  const cursor = cursorOf(model, ui, 'members');
  return (
    <RowsPanel
      {...props}
      id="members"
      title="Members"
      sort={ui.memberSort}
      rows={rows}
      selected={rows.findIndex(({ session }) => session === cursor)}
      table={(part, room) => memberTable(model, part, room)}
    />
  );
}
