import { Box, Text } from 'ink';
import { createContext, type ReactNode, use } from 'react';
import type { Model } from '../model/model.js';
import type { PanelId, Ui } from '../screen/state.js';
import { emptyLine } from '../view/empty.js';
import type { TableWidths } from '../view/kept-widths.js';
import type { Table, TableRoom } from '../view/table.js';
import { type Line as Spans, span } from '../view/text.js';
import { describeWindow, windowOf } from '../view/window.js';
import { Line, Lines } from './line.js';

/** The properties of every panel. `height` includes the title. */
export interface PanelProps {
  model: Model;
  ui: Ui;
  width: number;
  height: number;
}

type FrameProps = Omit<PanelProps, 'width'> & {
  id: PanelId;
  title: string;
  /** Text beside the title: the order and the number of rows. */
  info?: string;
  children?: ReactNode;
};

/** A panel: a title across the whole width, and the content below it. Without children, it says why it is empty. */
export function Panel({ id, title, info, model, ui, height, children }: FrameProps) {
  const isFocused = ui.focus === id;
  return (
    <Box flexDirection="column" height={height}>
      <Box height={1}>
        <Text bold inverse={isFocused}>{`${isFocused ? '▶' : '─'} ${title} `}</Text>
        <Box flexGrow={1} borderStyle="single" borderDimColor {...RULE} />
        {info && <Line of={[span(` ${info} ─`, { dim: true })]} />}
      </Box>
      {children ?? <Line of={emptyLine(id, model, ui)} />}
    </Box>
  );
}

/** The column widths that the screen has shown; undefined if the screen is drawn only once. */
export const Widths = createContext<TableWidths | undefined>(undefined);

/** A border that has only its top line. */
export const RULE = { borderBottom: false, borderLeft: false, borderRight: false } as const;

interface RowsProps<Row> extends PanelProps {
  id: PanelId;
  title: string;
  rows: readonly Row[];
  /** The row under the cursor; -1 if there is none. */
  selected: number;
  /** The part that is shown if the rows do not fit and no row is selected. */
  follow?: 'start' | 'end';
  sort?: string;
  above?: readonly Spans[];
  below?: readonly Spans[];
  /** Makes a table of rows. If only one line fits, the panel omits the header. */
  table: (rows: readonly Row[], room: TableRoom) => Table;
}

/** A panel with the rows that fit. */
export function RowsPanel<Row>({
  rows,
  selected,
  follow = 'start',
  sort,
  above = [],
  below = [],
  table,
  ...panel
}: RowsProps<Row>) {
  const widths = use(Widths);
  if (rows.length === 0) return <Panel {...panel} />;
  const { id, model, width } = panel;
  const room = panel.height - 1 - above.length - below.length;
  const shown = windowOf(rows.length, Math.max(1, room - 1), selected, follow);
  const { header, rows: lines } = table(rows.slice(shown.start, shown.end), {
    width,
    selected: selected - shown.start,
    ...(widths && { keep: widths.of(id, model.now) }),
  });
  const info = describeWindow(shown, rows.length);
  return (
    <Panel {...panel} info={sort === undefined ? info : `${info}, by ${sort}`}>
      <Lines of={[...above, ...(room > 1 ? [header] : []), ...lines, ...below]} />
    </Panel>
  );
}
