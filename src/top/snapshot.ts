import { healthOf } from './model/health.js';
import type { Model } from './model/model.js';
import { memberRows, partitionRows, totalsOf } from './model/select.js';
import { direction } from './model/series.js';

const iso = (atMs: number): string => new Date(atMs).toISOString();
const round = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
const RECENT = 20;

/** The group as JSON: raw numbers, times in milliseconds and ISO 8601, null for what is not known. */
export function jsonSnapshot(model: Model): object {
  const { target, connection, stream, missing } = model;
  const totals = totalsOf(model);
  const health = healthOf(model);
  return {
    v: 1,
    at: iso(model.now),
    server: {
      url: connection.server,
      version: connection.version,
      state: connection.state,
      roundTripMs: round(connection.roundTripMs),
    },
    stream: target?.stream ?? null,
    group: target?.group ?? null,
    health: { ok: health.level === 'ok', level: health.level, reason: missing ?? health.text },
    totals: {
      partitions: totals.partitions,
      owned: totals.owned,
      members: totals.members,
      publishedPerSecond: round(totals.published),
      handledPerSecond: round(totals.handled),
      lag: totals.lag,
      lagTrend: direction(model.lag),
      messages: stream?.facts.messages ?? null,
      bytes: stream?.facts.bytes ?? null,
    },
    partitions: partitionRows(model).map((row) => ({
      partition: row.partition,
      owner: row.ownerName,
      session: row.owner?.id ?? null,
      epoch: row.epoch,
      heldMs: row.heldMs === null ? null : Math.round(row.heldMs),
      position: row.position,
      end: row.end,
      lag: row.lag,
      ratePerSecond: round(row.rate),
      pin: row.pin,
      state: row.state,
    })),
    members: memberRows(model).map(({ member, name, partitions, lag, rate, renewedAgoMs, state }) => ({
      session: member.id,
      name,
      host: member.record?.host ?? null,
      pid: member.record?.pid ?? null,
      version: member.record?.version ?? null,
      partitions,
      ratePerSecond: round(rate),
      lag,
      handled: member.stats?.handled ?? null,
      failed: member.stats?.failed ?? null,
      uptimeMs: member.stats?.uptimeMs ?? null,
      renewedAgoMs: Math.round(renewedAgoMs),
      memory: member.stats?.memory ?? null,
      state,
    })),
    updates: model.updates.slice(-RECENT).map((update) => ({
      ...update,
      ...('epoch' in update && { tookMs: round(model.took.get(update.epoch) ?? null) }),
      at: iso(update.at),
    })),
    messages: model.messages.slice(-RECENT).map(({ atMs, ...message }) => ({ ...message, at: iso(atMs) })),
    streamInfo: stream?.facts ?? null,
    deadLetters: model.deadLetters === 'not-permitted' ? null : model.deadLetters,
    problems: Object.fromEntries(model.problems),
  };
}
