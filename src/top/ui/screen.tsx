import { Box, Text } from 'ink';
import { formatDuration } from '../../core/lib/units.js';
import type { Model } from '../model/model.js';
import { withFlags } from '../screen/hints.js';
import type { Ui } from '../screen/state.js';
import { detailLines } from '../view/detail.js';
import { groupLines } from '../view/groups.js';
import { bannerLine } from '../view/header.js';
import { isLargeEnough, type Size, SMALLEST } from '../view/layout.js';
import { letterLines } from '../view/letters.js';
import { noticeLines, questionLines } from '../view/notice.js';
import { allProblems, furtherProblems } from '../view/problems.js';
import { type Line as LineOfSpans, line, wrappedLines } from '../view/text.js';
import { Footer } from './footer.js';
import { HEADER_ROWS, Header } from './header.js';
import { Help } from './help.js';
import { Line, Lines, Stale } from './line.js';
import { Panels } from './panels.js';
import { Question } from './question.js';

function Missing({ message, intervalMs, columns }: { message: string; intervalMs: number; columns: number }) {
  return (
    <Box flexDirection="column" paddingTop={1} rowGap={1}>
      <Box flexDirection="column">
        <Lines of={wrappedLines(message, columns, { color: 'yellow' })} />
      </Box>
      <Line of={line(`Trying again every ${formatDuration(intervalMs)}.`, { dim: true })} />
    </Box>
  );
}

function Body({ model, ui, room }: { model: Model; ui: Ui; room: Size }) {
  if (ui.help) return <Help ui={ui} room={room} />;
  if (ui.groups) return <Lines of={groupLines(model, ui.groups, room)} />;
  if (ui.letters) return <Lines of={letterLines(model, ui, ui.letters, room)} />;
  if (ui.problems) return <Lines of={allProblems(model, ui, room)} />;
  if (model.missing !== null)
    return (
      <Missing
        message={withFlags(model.missing, model, ui.hints)}
        intervalMs={ui.intervalMs}
        columns={room.columns}
      />
    );
  if (ui.detail !== null) return <Lines of={detailLines(model, ui, room).slice(0, room.rows)} />;
  return <Panels model={model} ui={ui} room={room} />;
}

/** The footer, and the rule above a question, in lines. */
const [FOOTER_ROWS, RULE_ROWS] = [1, 1];

/** The room between header and footer, in columns and lines. */
function roomBelowHeader(model: Model, ui: Ui, { columns, rows }: Size): Size {
  const banner = bannerLine(model) ? 1 : 0;
  const problems = furtherProblems(ui.frozen ?? model, { columns, rows }).length;
  return { columns, rows: rows - HEADER_ROWS - problems - banner - FOOTER_ROWS };
}

const questionOf = (ui: Ui, { columns, rows }: Size): LineOfSpans[] =>
  questionLines(ui, { columns, rows: rows - RULE_ROWS });

/** The room between header and question or footer, in columns and lines. */
export function bodyRoom(model: Model, ui: Ui, size: Size): Size {
  const room = roomBelowHeader(model, ui, size);
  const below = ui.dialog
    ? questionOf(ui, room).length + RULE_ROWS
    : noticeLines(model, ui, size.columns).length;
  return { ...room, rows: room.rows - below };
}

/** The whole screen for a model. */
export function Screen({ model, ui, size }: { model: Model; ui: Ui; size: Size }) {
  const { columns, rows } = size;
  if (!isLargeEnough(size)) {
    return (
      <Box flexDirection="column" width={columns} height={rows}>
        <Text>
          {`This terminal is ${columns}x${rows}; natspoc top needs ${SMALLEST.columns}x${SMALLEST.rows}. q quits.`}
        </Text>
      </Box>
    );
  }
  const shown = ui.frozen ?? model;
  const banner = bannerLine(model);
  const question = questionOf(ui, roomBelowHeader(model, ui, size));
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header model={shown} width={columns} isFrozen={ui.frozen !== null} />
      <Lines of={furtherProblems(shown, size)} />
      {banner && <Line of={banner} />}
      <Stale value={banner !== undefined}>
        <Box flexDirection="column" flexGrow={1} flexShrink={0}>
          <Body model={shown} ui={ui} room={bodyRoom(model, ui, size)} />
        </Box>
      </Stale>
      {question.length > 0 && <Question lines={question} />}
      <Lines of={noticeLines(model, ui, columns)} />
      <Footer ui={ui} width={columns} />
    </Box>
  );
}
