import { unevenLoads } from '../../core/admin/balance.js';
import type { LeaseStatus } from '../../core/admin/lease-status.js';
import { TROUBLED } from '../../core/admin/members.js';
import { describeStall, reportedStalls } from '../../core/admin/stalled.js';
import { REBALANCE_MS } from '../../core/admin/thresholds.js';
import { formatDuration } from '../../core/lib/units.js';
import { isLong } from '../../core/protocol/hold-up.js';
import { describeIdle } from '../../text/lease-table.js';
import { partitionList } from '../../text/partition-list.js';
import type { Model } from './model.js';
import { once, statusOf } from './select.js';
import { direction } from './series.js';
import { mayWait } from './worst.js';

/** The health of the group in a few words. */
export interface Health {
  level: 'ok' | 'warning' | 'bad';
  text: string;
}

const LISTED = 6;

const list = (rows: readonly LeaseStatus[]): string =>
  partitionList(
    rows.map(({ partition }) => partition),
    LISTED,
  );

function unowned(model: Model, rows: readonly LeaseStatus[]): Health {
  const { group } = model;
  const since = rows.map(({ partition, session }) =>
    session === null ? group.leases.get(partition)?.atMs : group.ended.get(session)?.atMs,
  );
  const known = since.filter((at) => at !== undefined);
  const reason = known.length > 0 ? `, owner gone ${ago(model, Math.min(...known))}` : '';
  const all = rows.length === statusOf(model).partitions.length;
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

/** The worst problem of the group, or that it is healthy. */
export function healthOf(model: Model): Health {
  const [worst] = problemsOf(model);
  if (worst) return worst;
  const paused = statusOf(model).partitions.filter((each) => each.paused);
  return { level: 'ok', text: paused.length > 0 ? `healthy, paused: ${list(paused)}` : 'healthy' };
}

const bad = (text: string): Health => ({ level: 'bad', text });
const warning = (text: string): Health => ({ level: 'warning', text });

/** All problems of the group, the worst first. */
export const problemsOf = once((model: Model): Health[] => {
  const { connection, now } = model;
  if (connection.state === 'connecting') return [warning('connecting')];
  if (connection.state === 'disconnected')
    return [bad(`server gone for ${formatDuration(now - connection.since)}`)];
  if (model.missing) return [bad('nothing to show yet')];
  if (!model.ready) return [warning('loading')];
  const unread = [...model.problems.values()].map(warning);
  const { members } = statusOf(model);
  if (members.length === 0) return [memberless(model), ...unread];
  return [...ofMembersAndPartitions(model), ...unread];
});

/** The health of a group without members. It is bad if messages may wait. */
function memberless(model: Model): Health {
  const { partitions, idle } = statusOf(model);
  if (idle) return { level: 'ok', text: describeIdle(idle, model.now) };
  return partitions.every((row) => !mayWait(row))
    ? warning('no members; no messages wait')
    : bad('no members');
}

function ofMembersAndPartitions(model: Model): Health[] {
  const { partitions, members } = statusOf(model);
  const of = (...states: string[]) => partitions.filter(({ state }) => states.includes(state));
  const unreadable = of('unreadable');
  const troubled = members
    .filter(({ state }) => TROUBLED.includes(state) && state !== 'unreadable')
    .map(({ name, state, session }) => {
      const seen = ago(model, model.members.get(session)?.renewedAt ?? model.now);
      return bad(`${name} is ${state}, last renewal ${seen}`);
    });
  const ownerless = of('unowned', 'orphaned');
  const kept = of('reserved');
  const [restarting] = kept;
  const halted = of('halted');
  const held = partitions.filter(({ holdUp }) => holdUp?.why === 'retrying' && isLong(holdUp));
  const unbalanced = balance(model);
  const lag = model.lag.at(-1)?.value ?? 0;
  return [
    ...(unreadable.length > 0 ? [bad(`unreadable lease: ${list(unreadable)}`)] : []),
    ...troubled,
    ...(ownerless.length > 0 ? [unowned(model, ownerless)] : []),
    ...(restarting ? [warning(`${restarting.reservedFor} restarts: ${list(kept)} kept for it`)] : []),
    ...(halted.length > 0 ? [bad(`halted: ${list(halted)}`)] : []),
    ...reportedStalls({ members }).map((stall) => bad(describeStall(stall))),
    ...(held.length > 0 ? [warning(`retrying: ${list(held)}`)] : []),
    ...(unbalanced ? [unbalanced] : []),
    ...(direction(model.lag) === 'rising' && lag > 100 ? [warning('falling behind: the lag grows')] : []),
  ];
}
