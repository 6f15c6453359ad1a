import { partitionsOf } from '../model/select.js';
import { visiblePartitions } from '../screen/rows.js';
import { emptyLine } from '../view/empty.js';
import { timelineLines } from '../view/timeline.js';
import { describeWindow } from '../view/window.js';
import { Line, Lines } from './line.js';
import { Panel, type PanelProps } from './panel.js';
import { tableWindow } from './table-rows.js';

/** Who owned each partition over the last minutes. */
export function Timeline({ model, ui, width, height }: PanelProps) {
  const frame = { title: 'Timeline', isFocused: ui.focus === 'timeline', height };
  if (!model.ready) {
    return (
      <Panel {...frame}>
        <Line of={emptyLine('timeline', model, ui)} />
      </Panel>
    );
  }
  const partitions =
    ui.filter === '' ? partitionsOf(model) : visiblePartitions(model, ui).map((p) => p.partition);
  const at = partitions.findIndex((partition) => `${partition}` === ui.selected.timeline);
  const shown = tableWindow(partitions.length, height - 1, at, 'start');
  const lines = timelineLines(model, partitions.slice(shown.start, shown.end), width);
  return (
    <Panel {...frame} info={describeWindow(shown, partitions.length)}>
      <Lines of={lines.slice(0, height - 1)} />
    </Panel>
  );
}
