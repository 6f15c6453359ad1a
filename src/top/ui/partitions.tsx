import { cursorOf, visiblePartitions } from '../screen/rows.js';
import { isMapOf } from '../view/layout.js';
import { mapHeight, partitionMap } from '../view/partition-map.js';
import { partitionTable } from '../view/partitions.js';
import { heldUpLines, worstLines } from '../view/worst.js';
import { Lines } from './line.js';
import { Panel, type PanelProps, RowsPanel } from './panel.js';

const MIN_TABLE = 4;

/** The partitions as a table, or as a map with the worst partitions in words. */
export function Partitions(props: PanelProps) {
  const { model, ui, width, height } = props;
  // Before the first snapshot, all partitions would look unowned.
  const rows = model.ready ? visiblePartitions(model, ui) : [];
  const panel = { ...props, id: 'partitions', title: 'Partitions' } as const;
  const room = height - 1;
  const cursor = cursorOf(model, ui, 'partitions');
  const selected = rows.findIndex(({ partition }) => `${partition}` === cursor);
  const map = partitionMap(model, rows, width, selected < 0 ? undefined : Number(cursor));
  if (isMapOf(rows.length, height, ui)) {
    const worst = worstLines(model, Math.max(0, room - map.length));
    return (
      <Panel {...panel} info={`${rows.length}`}>
        <Lines of={[...map.slice(0, room), ...worst]} />
      </Panel>
    );
  }
  return (
    <RowsPanel
      {...panel}
      sort={ui.partitionSort}
      rows={rows}
      selected={selected}
      // If the table cannot show all partitions, the map stays above it.
      above={rows.length > room - 1 && mapHeight(rows.length, width) <= room - MIN_TABLE ? map : []}
      below={heldUpLines(model).slice(0, Math.max(0, room - 1 - rows.length))}
      table={(part, place) => partitionTable(model, part, place)}
    />
  );
}
