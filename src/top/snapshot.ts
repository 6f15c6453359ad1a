import { eventJson, groupJson, isoTime, round, streamJson } from '../text/json.js';
import { healthOf } from './model/health.js';
import type { Model } from './model/model.js';
import { ratesOf, statusOf } from './model/select.js';
import { direction } from './model/series.js';
import { type Hints, withFlags } from './screen/hints.js';

const RECENT = 20;

/** The output of `--json`: the fields of `leases --json` and more. */
export function jsonSnapshot(model: Model, hints: Hints): object {
  const { target, connection, stream, missing } = model;
  const { totals, ...group } = groupJson(statusOf(model));
  const { published, handled } = ratesOf(model);
  const health = healthOf(model);
  const reason = withFlags(missing ?? health.text, model, hints);
  return {
    v: 2,
    at: isoTime(model.now),
    server: {
      url: connection.server,
      version: connection.version,
      state: connection.state,
      roundTripMs: round(connection.roundTripMs),
    },
    stream: target?.stream ?? null,
    group: target?.group ?? null,
    health: { ok: health.level === 'ok', level: health.level, reason },
    totals: {
      ...totals,
      publishedPerSecond: round(published),
      handledPerSecond: round(handled),
      lagTrend: direction(model.lag),
      messages: stream?.facts.messages ?? null,
      bytes: stream?.facts.bytes ?? null,
    },
    ...group,
    updates: model.updates.slice(-RECENT).map(({ at, ...event }) => ({
      ...eventJson(event, at),
      ...('epoch' in event && { tookMs: round(model.took.get(event.epoch) ?? null) }),
    })),
    messages: model.messages
      .slice(-RECENT)
      .map(({ atMs, ...message }) => ({ ...message, time: isoTime(atMs) })),
    streamInfo: stream && streamJson(stream.facts),
    deadLetters: model.deadLetters === 'not-permitted' ? null : model.deadLetters,
    problems: Object.fromEntries(model.problems),
  };
}
