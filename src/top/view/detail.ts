import { describePause } from '../../core/admin/check-lease.js';
import { isEstimate, isOwned, type LeaseStatus } from '../../core/admin/lease-status.js';
import { drainMs } from '../../core/lib/drain.js';
import { escapeControl } from '../../core/lib/text.js';
import { formatBytes } from '../../core/lib/units.js';
import { describeHoldUp, remedyOf } from '../../core/protocol/hold-up.js';
import type { HandlerTimeStats, MemberStats } from '../../core/protocol/member-stats.js';
import { stateText } from '../../text/lease-table.js';
import { partitionList } from '../../text/partition-list.js';
import { timeOfDay } from '../../text/time-of-day.js';
import type { Model } from '../model/model.js';
import { memberRows, oldestByMember, partitionRows } from '../model/select.js';
import { withFlags } from '../screen/hints.js';
import { updateId, visibleUpdates } from '../screen/rows.js';
import type { Ui } from '../screen/state.js';
import { aboutLag, bytes, count, duration, rate, sparkline, UNKNOWN } from './format.js';
import type { Size } from './layout.js';
import { tableLines } from './table.js';
import { type Line, line, span, truncateLine, wrap, wrappedLines } from './text.js';
import { timelineTable } from './timeline.js';
import { groupUpdates, updateLine } from './updates.js';

/** Adds flags to the commands in a text. */
type Complete = (text: string) => string;

const LABEL = 16;
const fact = (name: string, value: string): Line => [
  span((name === '' ? '' : `${name}  `).padStart(LABEL), { dim: true }),
  span(value),
];
const title = (text: string): Line => line(text, { bold: true });

/** The newest updates about a partition or a member that fit into `height` lines, oldest first. */
function story(model: Model, height: number, about: (update: Model['updates'][number]) => boolean): Line[] {
  const groups = groupUpdates(model.updates.filter(about));
  return groups.slice(-Math.max(1, height)).map((group) => updateLine(model, group, { short: true }));
}

function holdUpFacts({ partition, holdUp }: LeaseStatus, columns: number, complete: Complete): Line[] {
  if (!holdUp) return [];
  const lines = (name: string, text: string): Line[] =>
    wrap(text, Math.max(20, columns - LABEL)).map((part, i) => fact(i === 0 ? name : '', part));
  return [
    ...lines('held up', complete(describeHoldUp(holdUp))),
    ...lines('to do', remedyOf(partition, holdUp)),
  ];
}

function partitionDetail(
  model: Model,
  partition: number,
  { columns, rows }: Size,
  complete: Complete,
): Line[] {
  const row = partitionRows(model)[partition];
  if (!row) return [line(`p${partition} is gone`)];
  const facts = [
    title(`Partition ${partition}`),
    fact('owner', row.owner === null ? 'none' : `${row.owner}${isOwned(row) ? '' : ' (gone)'}`),
    fact('session', row.session ?? UNKNOWN),
    fact('epoch', row.epoch === 0 ? UNKNOWN : `${row.epoch}`),
    fact('held for', duration(row.heldMs)),
    fact('position', `${row.position ?? UNKNOWN} of ${row.end ?? UNKNOWN}`),
    fact('lag', aboutLag(row.lag, isEstimate(row))),
    fact('oldest', duration(row.oldestMs)),
    fact('to drain', duration(drainMs(row.lag, row.ratePerSecond))),
    fact('handled', rate(row.ratePerSecond)),
    fact('stored', count(model.stream?.facts.counts[partition] ?? null)),
    fact('state', stateText(row)),
    ...(row.paused ? [fact('', describePause(row))] : []),
    ...holdUpFacts(row, columns, complete),
    line(''),
    ...tableLines(timelineTable(model, [partition], columns)),
    line(''),
    title('Updates'),
  ];
  const about = (update: Model['updates'][number]) => 'partition' in update && update.partition === partition;
  return [...facts, ...story(model, rows - facts.length, about)];
}

const HEAP = 40;

const handlerText = (times: HandlerTimeStats | undefined): string =>
  times
    ? `p50 ${duration(times.p50Ms ?? null)}, p99 ${duration(times.p99Ms)}, longest ${duration(times.maxMs)}`
    : UNKNOWN;

const failedText = (stats: MemberStats | null): string =>
  stats ? `${count(stats.failed)} attempts, ${count(stats.retried ?? null)} of them tried again` : UNKNOWN;

function memberDetail(model: Model, id: string, rows: number): Line[] {
  const row = memberRows(model).find(({ session }) => session === id);
  if (!row) return [line('This member is gone.')];
  const { stats } = row;
  const memory = stats?.memory;
  const facts = [
    title(`Member ${row.name}`),
    fact('session', id),
    fact('host, pid', row.host === null ? UNKNOWN : `${row.host}, ${row.pid}`),
    fact('version', row.version ?? UNKNOWN),
    fact('up for', duration(stats?.uptimeMs ?? null)),
    fact('renewed', `${duration(row.renewedAgoMs)} ago, ttl ${duration(row.ttlMs)}`),
    fact('partitions', `${row.partitions.length}: ${partitionList(row.partitions)}`),
    fact('handled', `${count(stats?.handled ?? null)}, ${rate(row.ratePerSecond)}`),
    fact('handler', handlerText(stats?.handlerTimes)),
    fact('in flight', count(stats?.inFlight ?? null)),
    fact('failed', failedText(stats)),
    ...(stats?.withoutKey ? [fact('without a key', count(stats.withoutKey))] : []),
    fact('lag', aboutLag(row.lag, row.lagIsEstimate ?? false)),
    fact('oldest', duration(oldestByMember(model).get(id) ?? null)),
    fact('to drain', duration(drainMs(row.lag, row.ratePerSecond))),
    fact('memory', `${bytes(memory?.sysBytes ?? null)} resident, ${memory?.verdict ?? UNKNOWN}`),
    fact('heap', sparkline(model.members.get(id)?.alloc ?? [], HEAP)),
    fact('Alloc', bytes(memory?.allocBytes ?? null)),
    fact('TotalAlloc', bytes(memory?.totalAllocBytes ?? null)),
    fact('NumGC', count(memory?.numGc ?? null)),
    line(''),
    title('Updates'),
  ];
  const about = (update: Model['updates'][number]) => {
    if ('session' in update && update.session === id) return true;
    if (!('from' in update)) return false;
    // For the oldest moves, only the previous owner's name is known.
    return update.fromSession === null ? update.from === row.name : update.fromSession === id;
  };
  return [...facts, ...story(model, rows - facts.length, about)];
}

function updateDetail(model: Model, ui: Ui, id: string, rows: number): Line[] {
  const group = visibleUpdates(model, ui).find((each) => updateId(each) === id);
  if (!group) return [line('This update is no longer kept.')];
  const { first, updates } = group;
  const facts: Line[] = [updateLine(model, group), line('')];
  if ('session' in first) facts.push(fact('session', first.session));
  if (first.silentMs !== undefined) facts.push(fact('last renewal', `${duration(first.silentMs)} before`));
  for (const update of updates) {
    if (!('partition' in update)) continue;
    const { partition } = update;
    if (update.event !== 'acquired') facts.push(fact(`p${partition}`, timeOfDay(update.at, true, model.now)));
    else {
      const { at, epoch, gapMs = null } = update;
      const gap = gapMs === null ? '' : `, without an owner for ${duration(gapMs)}`;
      const took = model.took.get(epoch);
      const start = took === undefined ? '' : `, handling began ${duration(took)} later`;
      facts.push(fact(`p${partition}`, `${timeOfDay(at, true, model.now)}, epoch ${epoch}${gap}${start}`));
    }
  }
  return facts.slice(0, rows);
}

/** A payload in lines; JSON is indented. */
function indented(text: string): string[] {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).split('\n');
  } catch {
    return text.split('\n');
  }
}

/** Wraps a text. All lines keep the indentation of the first line. */
function wrapIndented(text: string, columns: number): string[] {
  const blanks = ' '.repeat(Math.min(columns >> 1, text.length - text.trimStart().length));
  return wrap(text.trimStart(), columns - blanks.length).map((part) => blanks + part);
}

/** The name and value of a header. The name can be wider than its column. */
const pair = (name: string, value: string, columns: number): Line[] => {
  const label = escapeControl(name);
  if (label.length <= LABEL - 2) return [fact(label, value)];
  return [truncateLine([span(`${label}  `, { dim: true }), span(value)], columns)];
};

function messageDetail(model: Model, sequence: number, { columns, rows }: Size, complete: Complete): Line[] {
  const message = model.messages.find((each) => each.sequence === sequence);
  if (!message) return [line('This message is no longer kept.')];
  const { headers = [], preview, size: bytesOf } = message;
  const isWhole = preview !== null && Buffer.byteLength(preview) >= bytesOf;
  const body = preview === null ? ['(not text)'] : isWhole ? indented(preview) : [preview];
  const lines = [
    title(`Message ${sequence}`),
    fact('partition', message.partition === null ? UNKNOWN : `p${message.partition}`),
    fact('subject', message.subject),
    fact('key', message.key === null ? UNKNOWN : message.key),
    fact('stored at', timeOfDay(message.atMs, true, model.now)),
    fact('size', formatBytes(message.size)),
    ...headers.flatMap(([name, value]) => pair(name, value, columns)),
    line(''),
    ...body.flatMap((text) => wrapIndented(escapeControl(text), columns)).map((part) => line(part)),
  ];
  if (isWhole && lines.length <= rows) return lines;
  const rest = wrappedLines(complete(`… the rest: "natspoc stream get ${sequence}"`), columns, { dim: true });
  return [...lines.slice(0, Math.max(0, rows - rest.length)), ...rest];
}

/** The selected row of the focused panel in detail. */
export function detailLines(model: Model, ui: Ui, size: Size): Line[] {
  const id = ui.detail ?? '';
  const complete = (text: string): string => withFlags(text, model, ui.hints);
  switch (ui.focus) {
    case 'partitions':
    case 'timeline':
      return partitionDetail(model, Number(id), size, complete);
    case 'members':
      return memberDetail(model, id, size.rows);
    case 'messages':
      return messageDetail(model, Number(id), size, complete);
    case 'updates':
      return updateDetail(model, ui, id, size.rows);
    default:
      return [];
  }
}
