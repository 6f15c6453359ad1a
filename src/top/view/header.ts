import { type GroupTotals, totalsOf } from '../../core/admin/group-status.js';
import { countOf } from '../../core/lib/units.js';
import { timeOfDay } from '../../text/time-of-day.js';
import { healthOf, problemsOf } from '../model/health.js';
import type { Model, Replay } from '../model/model.js';
import { statusOf } from '../model/select.js';
import { direction } from '../model/series.js';
import { bytes, count, duration, steadyDuration } from './format.js';
import { LEVELS } from './problems.js';
import { barLines, graphsOf } from './rates.js';
import { type Line, line, type Span, span } from './text.js';

/** Below this width, the header omits labels such as `stream`. */
const ROOMY_COLUMNS = 100;

/** From this width on, there is room for earlier values. */
const DRAWN_COLUMNS = 120;
/** The number of earlier values beside the newest one. */
const TREND_WIDTH = 10;

const ARROWS = { rising: '↑', falling: '↓', steady: '→' } as const;

const value = (name: string, text: string): Span[] => [
  span(`${name} `, { dim: true }),
  span(text, { bold: true }),
];

function serverSpans({ connection, target }: Model): Span[] {
  const server = connection.server || (target?.servers.join(',') ?? '');
  const dot = connection.state === 'connected' ? span('●', { color: 'green' }) : span('✖', { color: 'red' });
  const trip = connection.roundTripMs === null ? '' : ` ${steadyDuration(connection.roundTripMs)}`;
  return [
    dot,
    span(` ${server}`),
    span(`${connection.version && ` v${connection.version}`}${trip}`, { dim: true }),
  ];
}

/** The parts of the header at this width. With bars if `drawn` is true. */
export function headerParts(model: Model, width: number, { frozen = false, drawn = false }) {
  const { target, stream } = model;
  const totals = totalsOf(statusOf(model));
  const health = healthOf(model);
  const { sign, color } = LEVELS[health.level];
  const others = problemsOf(model).length - 1;
  const more = others > 0 ? ` (+${others})` : '';
  const roomy = width >= ROOMY_COLUMNS;
  const numbers = graphsOf(model).flatMap(({ name, value: text, color: drawnIn, series, top }) => {
    const arrow = name === 'lag' ? ` ${ARROWS[direction(series)]}` : '';
    const values = series.slice(-TREND_WIDTH).map((point) => point.value);
    const [bars = ''] = barLines(values, top, 1);
    const trend =
      drawn && width >= DRAWN_COLUMNS ? [span(` ${bars.padStart(TREND_WIDTH)}`, { color: drawnIn })] : [];
    return [...value(name, `${text}${arrow}`.padEnd(name === 'lag' ? 8 : 7)), ...trend, span('  ')];
  });
  const parts: Record<'what' | 'clock' | 'status' | 'stored' | 'numbers', Line> = {
    what: [
      span('natspoc top  ', { bold: true }),
      ...(roomy ? [span('stream ', { dim: true })] : []),
      span(target?.stream ?? '', { bold: true }),
      span(roomy ? '  group ' : ' ', { dim: true }),
      span(target?.group ?? '', { bold: true }),
      span('  '),
      ...serverSpans(model),
    ],
    clock: model.replay ? replayClock(model.replay) : clock(model, frozen),
    status: [
      span(`${sign} ${health.text}${more}`, { color, bold: true }),
      span('  '),
      ...value('partitions', `${totals.owned}/${totals.partitions}`),
      span('  '),
      ...value('members', `${totals.members}`),
    ],
    stored: stream
      ? [
          ...value('stored', count(stream.facts.messages)),
          span(` ${bytes(stream.facts.bytes)}`, { dim: true }),
        ]
      : [],
    numbers: [
      ...numbers,
      ...waits(totals),
      ...resizing(model),
      ...ofKeyed(model),
      ...deadLetters(model),
      ...uncovered(model),
    ],
  };
  return parts;
}

/** The banner for old data; empty while connected. */
export function bannerLine({ connection, now }: Model): Line | undefined {
  if (connection.state !== 'disconnected') return undefined;
  const { attempts } = connection;
  const text = ` Disconnected for ${duration(now - connection.since)} (${countOf(attempts, 'reconnect attempt')}). The data below is that old. `;
  return line(text, { color: 'red', inverse: true, bold: true });
}

const clock = ({ now }: Model, frozen: boolean): Line =>
  frozen
    ? [span(' FROZEN ', { inverse: true, bold: true }), span(` ${timeOfDay(now, false, now)}`)]
    : [span(timeOfDay(now, false, now))];

/** The place in a recording: `REPLAY 2x, 1m 5s of 10m 12s`. */
function replayClock({ at, startAt, endAt, speed, isPlaying }: Replay): Line {
  const place = `${duration(at - startAt)} of ${duration(endAt - startAt)}`;
  const state = at >= endAt ? 'at its end' : isPlaying ? `${speed}x` : 'paused';
  return [span(' REPLAY ', { inverse: true, bold: true }), span(` ${state}, ${place}  ${timeOfDay(at)}`)];
}

/** Waits below this many milliseconds are not shown. */
const SHORT_MS = 1_000;

/** The age of the oldest waiting message, and the time to drain the lag. */
function waits({ oldestMs, drainMs }: GroupTotals): Line {
  const of = (name: string, ms: number | null): Span[] =>
    ms === null || ms < SHORT_MS ? [] : [...value(name, duration(ms)), span('  ')];
  return [...of('oldest', oldestMs), ...of('drain', drainMs)];
}

function deadLetters({ deadLetters: dead }: Model): Line {
  if (dead === null || dead === 'not-permitted' || dead.messages === 0) return [];
  return [
    span('dead letters ', { dim: true }),
    span(count(dead.messages), { color: 'yellow', bold: true }),
    span('  '),
  ];
}

function resizing(model: Model): Line {
  const { resize, partitions } = statusOf(model);
  if (!resize) return [];
  const { length: from } = partitions;
  return [
    span('resizing ', { dim: true }),
    span(`${from} to ${resize.to}, ${resize.closed} of ${from} closed`, { color: 'yellow', bold: true }),
    span('  '),
  ];
}

/** For a keyed group: the number of messages without a key, and of unread messages. The lag of a keyed group is only an estimate. */
function ofKeyed(model: Model): Line {
  const status = statusOf(model);
  const { withoutKey } = totalsOf(status);
  const found = status.unread;
  const age = found && found.oldestAgeMs !== null ? ` (${duration(found.oldestAgeMs)})` : '';
  return [
    ...(found ? [...value('not read', `${count(found.messages)}${age}`), span('  ')] : []),
    ...(withoutKey > 0 ? [...value('without a key', count(withoutKey)), span('  ')] : []),
  ];
}

/** The number of messages in no partition. They are not part of the lag. */
function uncovered({ stream }: Model): Line {
  const found = stream?.facts.uncovered;
  if (!found) return [];
  return [
    span('in no partition ', { dim: true }),
    span(count(found.messages), { color: 'yellow', bold: true }),
    span(found.example === null ? '  ' : ` ${found.example}  `),
  ];
}
