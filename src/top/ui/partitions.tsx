import { visiblePartitions } from '../screen/rows.js';
import { partitionMap, partitionTable } from '../view/partitions.js';
import { Lines } from './line.js';
import { Panel, type PanelProps, RowsPanel } from './panel.js';

/** Partitions are shown as a table if this many rows fit, otherwise as a map. */
const TABLE_ROWS = 16;
/** Minimum height of a table below the map. */
const MIN_TABLE = 4;

/** The owners of partitions: a map, a table, or the map above a part of the table. */
export function Partitions(props: PanelProps) {
  const { model, ui, width, height } = props;
  // Before the first look the owners are unknown, which does not mean that there are none.
  const rows = model.ready ? visiblePartitions(model, ui) : [];
  const panel = { ...props, id: 'partitions', title: 'Partitions' } as const;
  const room = height - 1;
  const selected = rows.findIndex(({ partition }) => `${partition}` === ui.selected.partitions);
  const map = partitionMap(model, rows, width);
  const isTable = ui.focus === 'partitions' && (ui.zoom || selected >= 0);
  if (rows.length > 0 && !isTable && room <= Math.min(rows.length, TABLE_ROWS)) {
    return (
      <Panel {...panel} info={`${rows.length}`}>
        <Lines of={map.slice(0, room)} />
      </Panel>
    );
  }
  return (
    <RowsPanel
      {...panel}
      sort={ui.partitionSort}
      rows={rows}
      selected={selected}
      // The map stays above a table that does not show everything.
      above={rows.length > room - 1 && map.length <= room - MIN_TABLE ? map : []}
      table={(part, room) => partitionTable(model, part, room)}
    />
  );
}
