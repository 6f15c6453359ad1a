import { keys } from '../../../src/core/protocol/keys.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import type { FaultSpan, History, Life, Span } from '../recording/history.js';
import { FAULT_KINDS, PUBLISHER } from '../recording/records.js';
import { describeFault, describeTime } from './describe.js';
import { Layouts } from './layouts.js';
import type { Violation } from './violation.js';

const WIDTH = 1_400;
const LEFT = 110;
const RIGHT = 20;
const ROW = 20;
const GAP = 5;
const HEAD = 50;
const COLORS = ['#4e79a7', '#f28e2b', '#59a14f', '#b07aa1', '#76b7b2', '#edc948', '#9c755f', '#ff9da7'];
const FAULT_COLOR = '#d1242f';
const PLOT_HEIGHT = 60;

/** The time in which a partition had one owner. */
interface Tenure extends Span {
  partition: number;
  owner: string;
  epoch: number;
}

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function tenures({ bucket, settings, calmAt }: History, partitions: number, end: number): Tenure[] {
  const found: Tenure[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const key = keys.lease(settings.group, partition);
    const changes = bucket.filter((change) => change.key === key).sort((a, b) => a.revision - b.revision);
    for (const [i, { at, revision, value }] of changes.entries()) {
      const lease = value === null ? undefined : decodeLease(Buffer.from(value, 'utf8'));
      const to = Math.min(changes[i + 1]?.at ?? end, end, calmAt);
      if (!lease?.owner || to <= at) continue;
      const last = found.at(-1);
      // A second epoch of the same owner is drawn as part of the first.
      if (last?.partition === partition && last.owner === lease.name && last.to === at) last.to = to;
      else found.push({ partition, owner: lease.name, epoch: revision, from: at, to });
    }
  }
  return found;
}

/**
 * Draws a run as a picture. Each partition has a row that is colored by owner. Below are the faults, one row for each kind, and the rate of
 * handled messages. Violations are red lines across all rows.
 */
export function drawTimeline(history: History, violations: readonly Violation[]): string {
  const { settings, calls, faults, lives, calmAt } = history;
  const end = Math.max(1, Number.isFinite(calmAt) ? calmAt : Math.max(1, ...faults.map(({ to }) => to)));
  const x = (ms: number): number => round(LEFT + (Math.min(ms, end) / end) * (WIDTH - LEFT - RIGHT));
  const colors = colorsOf(lives);
  const kinds = FAULT_KINDS.filter((kind) => faults.some((fault) => fault.kind === kind));
  const partitions = new Layouts(history).most;
  const faultsTop = HEAD + partitions * ROW + GAP * 3;
  const plotTop = faultsTop + kinds.length * ROW + GAP * 3;
  const height = plotTop + PLOT_HEIGHT + 40;
  const title = `chaos, seed ${settings.seed}: ${settings.minutes} minutes, ${settings.rate} messages/s, ${settings.servers} × nats-server ${settings.serverVersion}`;
  const owned = tenures(history, partitions, end).map(({ partition, owner, epoch, from, to }) => {
    const [left, width] = [x(from), round(x(to) - x(from))];
    const top = HEAD + partition * ROW;
    const name =
      width > owner.length * 7 + 4
        ? `<text x="${left + 3}" y="${top + 13}" class="o">${xml(owner)}</text>`
        : '';
    const what = `p${partition}: ${owner} at epoch ${epoch}, ${describeTime(from)} to ${describeTime(to)}`;
    return `<rect x="${left}" y="${top + 1}" width="${Math.max(width, 0.3)}" height="${ROW - 3}" fill="${colors.get(owner)}"><title>${xml(what)}</title></rect>${name}`;
  });
  const struck = faults.map((fault) => {
    const top = faultsTop + kinds.indexOf(fault.kind) * ROW;
    return faultMark(fault, x(fault.from), x(fault.to), top);
  });
  const labels = [
    ...Array.from({ length: partitions }, (_, p) => label(`p${p}`, HEAD + p * ROW)),
    ...kinds.map((kind, i) => label(kind, faultsTop + i * ROW)),
    label('handled/s', plotTop + PLOT_HEIGHT / 2 - 10),
  ];
  const downs = faults
    .filter(({ kind }) => kind === 'server-kill' || kind === 'leader-kill')
    .map(({ from }) => verticalLine(x(from), HEAD - 4, plotTop + PLOT_HEIGHT, '#8c959f', '2 3'));
  const wrong = violations.map(
    ({ at, text }) =>
      `<g>${verticalLine(x(at), HEAD - 14, plotTop + PLOT_HEIGHT, FAULT_COLOR)}<title>${xml(text)}</title></g>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${xml(title)}">`,
    '<style>text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#24292f}.l{text-anchor:end;fill:#57606a}.o{fill:#fff;font-size:11px}.t{font-weight:600;font-size:14px}.a{text-anchor:middle;fill:#57606a}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" class="t">${xml(title)}</text>`,
    ...labels,
    ...downs,
    ...owned,
    ...struck,
    plot(calls.map(({ to }) => to).filter(Number.isFinite), end, x, plotTop),
    ...axis(end, x, plotTop + PLOT_HEIGHT),
    ...wrong,
    '</svg>',
  ].join('\n')}\n`;
}

/** Gives each member a color. Members that overlap in time have different colors. */
function colorsOf(lives: readonly Life[]): Map<string, string> {
  const colors = new Map<string, string>();
  const until: number[] = [];
  for (const { name, from, exit } of [...lives].sort((a, b) => a.from - b.from)) {
    if (name === PUBLISHER) continue;
    let slot = until.findIndex((end) => end <= from);
    if (slot < 0) slot = until.length;
    until[slot] = exit?.at ?? Number.POSITIVE_INFINITY;
    colors.set(name, COLORS[slot % COLORS.length] ?? '#000');
  }
  return colors;
}

function faultMark(fault: FaultSpan, from: number, to: number, top: number): string {
  const what = `<title>${xml(describeFault(fault))}</title>`;
  const width = round(to - from);
  if (width < 3)
    return `<circle cx="${from}" cy="${top + ROW / 2}" r="3.5" fill="${FAULT_COLOR}">${what}</circle>`;
  return `<rect x="${from}" y="${top + 4}" width="${width}" height="${ROW - 8}" rx="3" fill="${FAULT_COLOR}" opacity=".75">${what}</rect>`;
}

const label = (text: string, top: number): string =>
  `<text x="${LEFT - 8}" y="${top + 14}" class="l">${xml(text)}</text>`;
const round = (value: number): number => Math.round(value * 10) / 10;
const verticalLine = (x: number, from: number, to: number, color: string, dashes = ''): string =>
  `<path d="M${x} ${from}V${to}" stroke="${color}"${dashes ? ` stroke-dasharray="${dashes}"` : ''} fill="none"/>`;

/** Handled messages per second, one point for each two pixels. */
function plot(ends: readonly number[], end: number, x: (ms: number) => number, top: number): string {
  const buckets = new Array<number>(Math.min(600, Math.max(10, Math.ceil(end / 1_000)))).fill(0);
  const span = end / buckets.length;
  for (const at of ends) {
    const index = Math.floor(at / span);
    if (index >= 0 && index < buckets.length) buckets[index] = (buckets[index] ?? 0) + 1;
  }
  const most = Math.max(1, ...buckets);
  const points = buckets.map(
    (count, i) => `${x((i + 0.5) * span)},${round(top + PLOT_HEIGHT * (1 - count / most))}`,
  );
  const peak = Math.round(most / (span / 1_000));
  return `<polyline points="${points.join(' ')}" fill="none" stroke="#0969da"/><text x="${LEFT - 8}" y="${top + 10}" class="l">${peak}</text>`;
}

function axis(end: number, x: (ms: number) => number, top: number): string[] {
  const step = [5_000, 10_000, 30_000, 60_000, 300_000, 600_000].find((ms) => end / ms <= 14) ?? 1_800_000;
  const marks: string[] = [];
  for (let at = 0; at <= end; at += step) {
    const text = `${Math.floor(at / 60_000)}:${String(Math.round((at % 60_000) / 1_000)).padStart(2, '0')}`;
    marks.push(
      `${verticalLine(x(at), top, top + 5, '#57606a')}<text x="${x(at)}" y="${top + 20}" class="a">${text}</text>`,
    );
  }
  return marks;
}
