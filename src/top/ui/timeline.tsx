import { numberedPartitions } from '../screen/rows.js';
import { timelineTable } from '../view/timeline.js';
import { type PanelProps, RowsPanel } from './panel.js';

/** The owners of each partition over the last minutes. */
export function Timeline(props: PanelProps) {
  const { model, ui, width } = props;
  const rows = model.ready ? numberedPartitions(model, ui).map(({ partition }) => partition) : [];
  return (
    <RowsPanel
      {...props}
      id="timeline"
      title="Timeline"
      rows={rows}
      selected={rows.findIndex((partition) => `${partition}` === ui.selected.timeline)}
      table={(part) => timelineTable(model, part, width)}
    />
  );
}
