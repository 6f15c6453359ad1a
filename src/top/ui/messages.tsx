import { visibleMessages } from '../screen/rows.js';
import { messageTable } from '../view/messages.js';
import { type PanelProps, RowsPanel } from './panel.js';

/** The newest messages of the stream. */
export function Messages(props: PanelProps) {
  const { model, ui } = props;
  const rows = visibleMessages(model, ui);
  return (
    <RowsPanel
      {...props}
      id="messages"
      title="Recent messages"
      follow="end"
      rows={rows}
      selected={rows.findIndex(({ sequence }) => `${sequence}` === ui.selected.messages)}
      table={(part, room) => messageTable(part, room, model.now)}
    />
  );
}
