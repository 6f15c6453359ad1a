import type { IBufferCell, Terminal } from '@xterm/headless';

/** Width and height of a character, in pixels. */
const CELL = { width: 8.4, height: 18 };
const FONT_SIZE = 14;
const PADDING = 16;
/** Height of the title bar, in pixels. */
const BAR = 34;
const FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

const BACKGROUND = '#0d1117';
const FOREGROUND = '#d5dbe3';
/** The terminal's 16 colors: black to white, then the bright colors. */
const COLORS = [
  ...['#484f58', '#ff7b72', '#56d364', '#e3b341', '#79a8ff', '#d2a8ff', '#56d4dd', '#d5dbe3'],
  ...['#6e7681', '#ffa198', '#7ee787', '#f2cc60', '#a5c8ff', '#e2c5ff', '#8ae9ef', '#f0f6fc'],
];

/** Blocks of one to eight eighths of a cell. They are drawn as rectangles, because fonts leave gaps between lines. */
const BARS = '▁▂▃▄▅▆▇█';

/** The colors and the style of a cell. */
interface Look {
  color: string;
  background: string | null;
  bold: boolean;
  dim: boolean;
}

/** Neighboring cells with the same colors and style. */
interface Run extends Look {
  column: number;
  text: string;
  width: number;
}

function lookOf(cell: IBufferCell): Look {
  const color = cell.isFgDefault() ? FOREGROUND : (COLORS[cell.getFgColor()] ?? FOREGROUND);
  const behind = cell.isBgDefault() ? null : (COLORS[cell.getBgColor()] ?? null);
  const [bold, dim] = [cell.isBold() !== 0, cell.isDim() !== 0];
  return cell.isInverse()
    ? { color: behind ?? BACKGROUND, background: color, bold, dim }
    : { color, background: behind, bold, dim };
}

const sameLook = (a: Look, b: Look): boolean =>
  a.color === b.color && a.background === b.background && a.bold === b.bold && a.dim === b.dim;

/** The runs of a row, except blank runs. Two spaces end a run, so that the next run starts at its exact column in every font. */
function runsOf(terminal: Terminal, row: number): Run[] {
  const runs: Run[] = [];
  const line = terminal.buffer.active.getLine(row);
  for (let column = 0; line && column < terminal.cols; column++) {
    const cell = line.getCell(column);
    // The second half of a wide character has no width of its own.
    if (!cell || cell.getWidth() === 0) continue;
    const text = cell.getChars() || ' ';
    const look = lookOf(cell);
    const last = runs.at(-1);
    if (
      last &&
      last.column + last.width === column &&
      sameLook(last, look) &&
      // Bars of different heights are drawn as different shapes, so they cannot share a run.
      (text === last.text[0] || !(BARS.includes(text) || BARS.includes(last.text[0] ?? ' '))) &&
      !(text !== ' ' && last.text.endsWith('  '))
    ) {
      last.text += text;
      last.width += cell.getWidth();
    } else runs.push({ ...look, column, text, width: cell.getWidth() });
  }
  return runs.filter(({ text, background }) => background !== null || text.trim() !== '');
}

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const round = (value: number): number => Math.round(value * 10) / 10;

function runSvg({ column, text, width, color, background, bold, dim }: Run, row: number): string {
  const x = round(PADDING + column * CELL.width);
  const y = BAR + row * CELL.height;
  const size = `width="${round(width * CELL.width)}" height="${CELL.height}"`;
  const behind = background === null ? '' : `<rect x="${x}" y="${y}" ${size} fill="${background}"/>`;
  const shown = text.trimEnd();
  if (shown === '') return behind;
  const eighths = BARS.indexOf(text[0] ?? ' ') + 1;
  if (eighths > 0) {
    const high = (eighths * CELL.height) / BARS.length;
    const bar = `x="${x}" y="${y + CELL.height - high}" width="${round(width * CELL.width)}" height="${high}"`;
    return `${behind}<rect ${bar} fill="${color}"${dim ? ' opacity=".6"' : ''}/>`;
  }
  const style = [
    color === FOREGROUND ? '' : ` fill="${color}"`,
    bold ? ' class="b"' : '',
    dim ? ' opacity=".6"' : '',
  ];
  return `${behind}<text x="${x}" y="${y + 13}"${style.join('')}>${xml(shown)}</text>`;
}

/** The contents of a terminal as an SVG document. */
export function terminalSvg(terminal: Terminal, title: string): string {
  const width = Math.ceil(terminal.cols * CELL.width + 2 * PADDING);
  const height = BAR + terminal.rows * CELL.height + PADDING;
  const lines = Array.from({ length: terminal.rows }, (_, row) =>
    runsOf(terminal, row)
      .map((run) => runSvg(run, row))
      .join(''),
  );
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${PADDING + 4 + i * 18}" cy="17" r="5.5" fill="${fill}"/>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${xml(title)}">`,
    `<style>text{font:${FONT_SIZE}px ${FONTS};fill-opacity:1;white-space:pre}.b{font-weight:700}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${BACKGROUND}" stroke="#30363d"/>`,
    dots.join(''),
    `<text x="${width / 2}" y="22" text-anchor="middle" fill="#8b949e">${xml(title)}</text>`,
    `<g fill="${FOREGROUND}" xml:space="preserve">`,
    ...lines.filter((each) => each !== ''),
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}
