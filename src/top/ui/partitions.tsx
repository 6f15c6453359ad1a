import { visiblePartitions } from '../screen/rows.js';
import { emptyLine } from '../view/empty.js';
import { partitionMap, partitionTable } from '../view/partitions.js';
import { describeWindow } from '../view/window.js';
import { Line, Lines } from './line.js';
import { Panel, type PanelProps } from './panel.js';
import { TableRows, tableWindow } from './table-rows.js';

/** Partitions are a table where this many rows have room; otherwise a map. */
const TABLE_ROWS = 16;
/** Least height of a table below the map. */
const MIN_TABLE = 4;

/** Who owns what: a map of all partitions, a table, or the map above a part of the table. */
export function Partitions({ model, ui, width, height }: PanelProps) {
  const rows = visiblePartitions(model, ui);
  const frame = { title: 'Partitions', isFocused: ui.focus === 'partitions', height };
  // Before the first look nothing is known to be owned, which is not the same as that nothing is.
  if (rows.length === 0 || !model.ready) {
    return (
      <Panel {...frame}>
        <Line of={emptyLine('partitions', model, ui)} />
      </Panel>
    );
  }
  const room = height - 1;
  const selected = rows.findIndex(({ partition }) => `${partition}` === ui.selected.partitions);
  const map = partitionMap(model, rows, width);
  const isTable = frame.isFocused && (ui.zoom || selected >= 0);
  if (!isTable && room <= Math.min(rows.length, TABLE_ROWS)) {
    return (
      <Panel {...frame} info={`${rows.length}`}>
        <Lines of={map.slice(0, room)} />
      </Panel>
    );
  }
  // The map stays above a table that does not show everything.
  const above = rows.length > room - 1 && map.length <= room - MIN_TABLE ? map : [];
  const below = room - above.length;
  const shown = tableWindow(rows.length, below, selected, 'start');
  const table = partitionTable(model, rows.slice(shown.start, shown.end), width, selected - shown.start);
  return (
    <Panel {...frame} info={`${describeWindow(shown, rows.length)}, by ${ui.partitionSort}`}>
      <Lines of={above} />
      <TableRows table={table} height={below} />
    </Panel>
  );
}
