import { unevenLoads } from '../../core/admin/balance.js';
import type { LeaseStatus } from '../../core/admin/group-status.js';
import { TROUBLED } from '../../core/admin/members.js';
import { describeStall, reportedStalls } from '../../core/admin/stalled.js';
import { REBALANCE_MS } from '../../core/admin/thresholds.js';
import { formatDuration } from '../../core/lib/units.js';
import { isLong } from '../../core/protocol/hold-up.js';
import { partitionList } from '../../text/partition-list.js';
import type { Model } from './model.js';
import { statusOf } from './select.js';
import { direction } from './series.js';

/** The health of the group in a few words, and its severity. */
export interface Health {
  level: 'ok' | 'warning' | 'bad';
  text: string;
}

/** Limit of partition ranges in a text. */
const LISTED = 6;

const list = (rows: readonly LeaseStatus[]): string =>
  partitionList(
    rows.map(({ partition }) => partition),
    LISTED,
  );

function unowned({ group, ...model }: Model, rows: readonly LeaseStatus[]): Health {
  const since = rows.map(({ partition, session }) =>
    session === null ? group.leases.get(partition)?.atMs : group.ended.get(session)?.atMs,
  );
  const known = since.filter((at) => at !== undefined);
  const reason = known.length > 0 ? `, owner gone ${ago(model, Math.min(...known))}` : '';
  const all = rows.length === model.layout?.partitions;
  return { level: 'bad', text: `${all ? 'no partition is owned' : `unowned: ${list(rows)}`}${reason}` };
}

const ago = ({ now }: Pick<Model, 'now'>, at: number): string =>
  `${formatDuration(Math.max(0, now - at))} ago`;

function balance(model: Model): Health | undefined {
  const status = statusOf(model);
  if (status.members.some(({ state }) => state === 'leaving'))
    return { level: 'warning', text: 'rebalancing: a member is leaving' };
  const uneven = unevenLoads(status);
  if (!uneven) return undefined;
  const changed = model.updates.at(-1)?.at ?? 0;
  return model.now - changed < REBALANCE_MS
    ? { level: 'warning', text: 'rebalancing' }
    : { level: 'warning', text: `uneven: ${uneven.least} to ${uneven.most} partitions a member` };
}

/** The worst problem of the group, if any. */
export function healthOf(model: Model): Health {
  const { connection, now } = model;
  if (connection.state === 'connecting') return { level: 'warning', text: 'connecting' };
  if (connection.state === 'disconnected') {
    return { level: 'bad', text: `server gone for ${formatDuration(now - connection.since)}` };
  }
  if (model.missing) return { level: 'bad', text: 'nothing to show yet' };
  if (!model.ready) return { level: 'warning', text: 'looking' };
  const { partitions, members } = statusOf(model);
  if (members.length === 0) return { level: 'bad', text: 'no members' };
  const of = (...states: string[]) => partitions.filter(({ state }) => states.includes(state));
  const unreadable = of('unreadable');
  if (unreadable.length > 0) return { level: 'bad', text: `unreadable lease: ${list(unreadable)}` };
  const troubled = members.find(({ state }) => TROUBLED.includes(state) && state !== 'unreadable');
  if (troubled) {
    const seen = ago(model, model.members.get(troubled.session)?.renewedAt ?? now);
    return { level: 'bad', text: `${troubled.name} is ${troubled.state}, last renewal ${seen}` };
  }
  const ownerless = of('unowned', 'orphaned');
  if (ownerless.length > 0) return unowned(model, ownerless);
  const kept = of('reserved');
  const [restarting] = kept;
  if (restarting)
    return { level: 'warning', text: `${restarting.reservedFor} restarts: ${list(kept)} kept for it` };
  const halted = of('halted');
  if (halted.length > 0) return { level: 'bad', text: `halted: ${list(halted)}` };
  const [stall] = reportedStalls({ members });
  if (stall) return { level: 'bad', text: describeStall(stall) };
  const held = partitions.filter(({ holdUp }) => holdUp?.why === 'retrying' && isLong(holdUp));
  if (held.length > 0) return { level: 'warning', text: `retrying: ${list(held)}` };
  const unbalanced = balance(model);
  if (unbalanced) return unbalanced;
  if (direction(model.lag) === 'rising' && (model.lag.at(-1)?.value ?? 0) > 100) {
    return { level: 'warning', text: 'falling behind: the lag grows' };
  }
  const paused = partitions.filter((each) => each.paused);
  return { level: 'ok', text: paused.length > 0 ? `healthy, paused: ${list(paused)}` : 'healthy' };
}
