import { escapeControl } from '../../core/lib/text.js';
import { formatDuration } from '../../core/lib/units.js';
import type { Model } from '../model/model.js';
import { type Binding, bindingsFor } from '../screen/keys.js';
import type { PanelId, Ui } from '../screen/state.js';
import { detailLines } from './detail.js';
import { headerLines } from './header.js';
import { helpView } from './help.js';
import { layOut, type Place, type Size, SMALLEST } from './layout.js';
import { panelContent } from './panels.js';
import { type Line, line, lineWidth, type Span, type Style, span, spread, wrap } from './text.js';

/** One panel ready to be drawn. */
export interface PanelFrame {
  id: PanelId;
  title: string;
  info: string;
  focused: boolean;
  height: number;
  lines: Line[];
}

/** A whole screen: everything is cut to its place. */
export interface Frame extends Size {
  /** The panels show what was, not what is. */
  stale: boolean;
  header: Line[];
  /** Panels in columns in bands; empty where `body` takes their place. */
  bands: { height: number; stacks: { width: number; panels: PanelFrame[] }[] }[];
  body: Line[];
  dialog: Line[];
  footer: Line;
  /** How far the help can be scrolled. */
  helpEnd: number;
}

/** A notice is shown for this long. */
const NOTICE_MS = 8_000;
const NOTICE_COLORS = { info: 'green', error: 'red', busy: 'yellow' } as const;

/** Keys with a word for the footer; those that must not be missing first, the rest as in the table. */
function hinted(ui: Ui): Binding[] {
  const all = bindingsFor(ui).filter(({ hint }) => hint !== undefined);
  const first = (binding: Binding) => binding.hint === 'quit' || binding.hint === 'help';
  return [...all.filter(first), ...all.filter((binding) => !first(binding))];
}

function footer(ui: Ui, columns: number): Line {
  if (ui.editing)
    return [span('filter: ', { bold: true }), span(escapeControl(ui.filter)), span(' ', { inverse: true })];
  const filter =
    ui.filter === '' ? [] : [span(` filter: ${escapeControl(ui.filter)} `, { inverse: true }), span(' ')];
  const interval = [...filter, span(`every ${formatDuration(ui.intervalMs)}`, { dim: true })];
  const hints: Span[] = [];
  let room = columns - lineWidth(interval);
  for (const { shown, hint } of hinted(ui)) {
    const [key = shown] = shown.split(' ');
    const text = ` ${hint}  `;
    room -= key.length + text.length;
    if (room < 0) break;
    hints.push(span(key, { bold: true }), span(text, { dim: true }));
  }
  return spread(hints, interval, columns);
}

/** A question, or what the last action led to, above the footer. */
function dialogLines(model: Model, ui: Ui, columns: number): Line[] {
  const wrapped = (text: string, style: Style): Line[] =>
    wrap(escapeControl(text), columns).map((part) => line(part, style));
  if (ui.dialog) {
    const answers = [
      span('y', { bold: true }),
      span(' yes   ', { dim: true }),
      span('n', { bold: true }),
      span(' no', { dim: true }),
    ];
    return [
      line('─'.repeat(columns), { color: 'yellow' }),
      ...wrapped(ui.dialog.question, { bold: true, color: 'yellow' }),
      ...ui.dialog.consequences.flatMap((text) => wrapped(text, {})),
      answers,
    ];
  }
  if (!ui.notice) return [];
  const { at, level, text } = ui.notice;
  if (level !== 'busy' && model.now - at > NOTICE_MS) return [];
  return wrapped(text, { color: NOTICE_COLORS[level], bold: true });
}

function tooSmall({ columns, rows }: Size): Frame {
  const text = `This terminal is ${columns}x${rows}; natspoc top needs ${SMALLEST.columns}x${SMALLEST.rows}.`;
  return {
    columns,
    rows,
    stale: false,
    header: [],
    bands: [],
    body: [line(text)],
    dialog: [],
    footer: [span('q quit')],
    helpEnd: 0,
  };
}

/** What takes the place of the panels, if anything. */
function bodyLines(model: Model, ui: Ui, size: Size): Line[] | undefined {
  if (ui.help) return helpView(ui, size).lines;
  if (model.missing !== null) {
    return [
      line(''),
      line(escapeControl(model.missing), { color: 'yellow' }),
      line(''),
      line(`Looking again every ${formatDuration(ui.intervalMs)}.`, { dim: true }),
    ];
  }
  return ui.detail === null ? undefined : detailLines(model, ui, size);
}

/** The line that says that what is shown is old. */
function banner({ connection, now }: Model): Line[] {
  if (connection.state !== 'disconnected') return [];
  const tries = connection.attempts === 1 ? '1 attempt' : `${connection.attempts} attempts`;
  const text = ` Lost the server ${formatDuration(now - connection.since)} ago, ${tries} to come back. What you see is as old as that. `;
  return [line(text, { color: 'red', inverse: true, bold: true })];
}

/** The screen for a model: a pure function, the same for a terminal, a test and a picture. */
export function frameOf(model: Model, ui: Ui, size: Size): Frame {
  const { columns, rows } = size;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return tooSmall(size);
  const shown = ui.frozen ?? model;
  const header = [
    ...headerLines(shown, columns, { frozen: ui.frozen !== null, drawn: true }),
    ...banner(model),
  ];
  const dialog = dialogLines(model, ui, columns);
  const room = { columns, rows: rows - header.length - dialog.length - 1 };
  const body = bodyLines(shown, ui, room);
  const draw = (width: number, { id, height }: Place): PanelFrame => {
    const content = panelContent(id, shown, ui, width, height - 1);
    return { id, height, focused: id === ui.focus, ...content, lines: content.lines.slice(0, height - 1) };
  };
  const bands = (body ? [] : layOut(shown, ui, room)).map(({ height, stacks }) => ({
    height,
    stacks: stacks.map(({ width, panels }) => ({ width, panels: panels.map((place) => draw(width, place)) })),
  }));
  const stale = model.connection.state === 'disconnected';
  return {
    columns,
    rows,
    stale,
    header,
    bands,
    body: (body ?? []).slice(0, room.rows),
    dialog,
    footer: footer(ui, columns),
    helpEnd: ui.help ? helpView(ui, room).end : 0,
  };
}
