import { visibleMessages } from '../screen/rows.js';
import { emptyLine } from '../view/empty.js';
import { messageTable } from '../view/messages.js';
import { describeWindow } from '../view/window.js';
import { Line } from './line.js';
import { Panel, type PanelProps } from './panel.js';
import { TableRows, tableWindow } from './table-rows.js';

/** The newest messages of the stream. */
export function Messages({ model, ui, width, height }: PanelProps) {
  const messages = visibleMessages(model, ui);
  const frame = { title: 'Recent messages', isFocused: ui.focus === 'messages', height };
  if (messages.length === 0) {
    return (
      <Panel {...frame}>
        <Line of={emptyLine('messages', model, ui)} />
      </Panel>
    );
  }
  const selected = messages.findIndex(({ sequence }) => `${sequence}` === ui.selected.messages);
  const shown = tableWindow(messages.length, height - 1, selected, 'end');
  const table = messageTable(messages.slice(shown.start, shown.end), width, selected - shown.start);
  return (
    <Panel {...frame} info={describeWindow(shown, messages.length)}>
      <TableRows table={table} height={height - 1} />
    </Panel>
  );
}
