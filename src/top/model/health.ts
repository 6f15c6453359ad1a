import { unevenLoads } from '../../core/admin/balance.js';
import { formatDuration } from '../../core/lib/units.js';
import type { Model } from './model.js';
import { isPaused, isSilent, memberRows, nameOf, type PartitionRow, partitionRows } from './select.js';
import { direction } from './series.js';

/** The state of the group in a word or two, and how bad it is. */
export interface Health {
  level: 'ok' | 'warning' | 'bad';
  text: string;
}

/** Loads that differ are a rebalance under way for so long after a change; later they are a fault. */
const REBALANCE_MS = 5_000;
const LISTED = 6;

function list(rows: readonly PartitionRow[]): string {
  const shown = rows.slice(0, LISTED).map(({ partition }) => `p${partition}`);
  return rows.length > LISTED ? `${shown.join(' ')} …` : shown.join(' ');
}

function unowned(model: Model, rows: readonly PartitionRow[]): Health {
  const since = rows.map(({ lease }) => {
    const record = lease?.record;
    if (!lease || !record || record === 'unreadable') return undefined;
    return record.owner === null ? lease.since : model.ended.get(record.owner)?.at;
  });
  const known = since.filter((at) => at !== undefined);
  const reason = known.length > 0 ? `, owner gone ${ago(model, Math.min(...known))}` : '';
  const text =
    rows.length === model.layout?.partitions
      ? `no partition is owned${reason}`
      : `${rows.length} unowned: ${list(rows)}${reason}`;
  return { level: 'bad', text };
}

const ago = (model: Model, at: number): string => `${formatDuration(Math.max(0, model.now - at))} ago`;

function balance(model: Model): Health | undefined {
  const rows = memberRows(model);
  if (rows.some(({ state }) => state === 'leaving'))
    return { level: 'warning', text: 'rebalancing: a member leaves' };
  const loads = rows.map(({ partitions }) => partitions.length);
  const uneven = unevenLoads(loads, partitionRows(model));
  if (!uneven) return undefined;
  const changed = model.updates.at(-1)?.at ?? 0;
  return model.now - changed < REBALANCE_MS
    ? { level: 'warning', text: 'rebalancing' }
    : { level: 'warning', text: `uneven: ${uneven.least} to ${uneven.most} partitions a member` };
}

/** How the group is, the worst first. */
export function healthOf(model: Model): Health {
  const { connection, now } = model;
  if (connection.state === 'connecting') return { level: 'warning', text: 'connecting' };
  if (connection.state === 'disconnected') {
    return { level: 'bad', text: `server gone for ${formatDuration(now - connection.since)}` };
  }
  if (model.missing) return { level: 'bad', text: 'nothing to see yet' };
  if (!model.ready) return { level: 'warning', text: 'looking' };
  if (model.members.size === 0) return { level: 'bad', text: 'no consumers' };
  const rows = partitionRows(model);
  const of = (state: PartitionRow['state']) => rows.filter((row) => row.state === state);
  const unreadable = of('unreadable');
  if (unreadable.length > 0) return { level: 'bad', text: `unreadable lease: ${list(unreadable)}` };
  const silent = [...model.members.values()].find((member) => isSilent(model, member));
  if (silent)
    return { level: 'bad', text: `${nameOf(silent)} is silent, last seen ${ago(model, silent.renewedAt)}` };
  if (of('unowned').length > 0) return unowned(model, of('unowned'));
  const halted = of('halted');
  if (halted.length > 0) return { level: 'bad', text: `halted: ${list(halted)}` };
  const unbalanced = balance(model);
  if (unbalanced) return unbalanced;
  if (direction(model.lag) === 'rising' && (model.lag.at(-1)?.value ?? 0) > 100) {
    return { level: 'warning', text: 'falling behind: the lag grows' };
  }
  const paused = rows.filter(({ partition }) => isPaused(model, partition));
  return { level: 'ok', text: paused.length > 0 ? `healthy, paused: ${list(paused)}` : 'healthy' };
}
