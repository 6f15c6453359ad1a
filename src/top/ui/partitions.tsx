import { visiblePartitions } from '../screen/rows.js';
import { partitionMap, partitionTable } from '../view/partitions.js';
import { Lines } from './line.js';
import { Panel, type PanelProps, RowsPanel } from './panel.js';

/** Partitions are a table where this many rows have room; otherwise a map. */
const TABLE_ROWS = 16;
/** Least height of a table below the map. */
const MIN_TABLE = 4;

/** Who owns what: a map of all partitions, a table, or the map above a part of the table. */
export function Partitions(props: PanelProps) {
  const { model, ui, width, height } = props;
  // Before the first look nothing is known to be owned, which is not the same as that nothing is.
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
      table={(part, at) => partitionTable(model, part, width, at)}
    />
  );
}
