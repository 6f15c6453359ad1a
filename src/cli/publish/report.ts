import { NatspocError } from '../../core/lib/errors.js';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../core/lib/units.js';
import type { PublishSummary } from './run.js';

const round = (value: number, digits = 3): number => Number(value.toFixed(digits));

/** A latency for people, with three digits. */
function latency(ms: number): string {
  return ms < 1 ? `${Math.round(ms * 1_000)} µs` : ms < 10 ? `${ms.toFixed(2)} ms` : formatDuration(ms);
}

/** The target of a run: the partitions of a stream, or the subjects of a template. */
export interface Target {
  stream: string;
  partitions: number | null;
  subject?: string | null;
  /** If the run sent one message: where this message was stored. */
  only?: StoredAt | undefined;
}

/** The place of a message in a stream. `partition` is null if the run published to subjects of a template. */
export interface StoredAt {
  partition: number | null;
  subject: string | undefined;
  sequence: number;
  /** True if the message was already in the stream. */
  duplicate: boolean;
}

/** One stored message for people: `p0 #475 in 1.1 ms`. */
function formatStored({ partition, subject, sequence, duplicate }: StoredAt, ms: number): string {
  const place = `${partition === null ? subject : `p${partition}`} #${sequence}`;
  return duplicate ? `${place}, which was in the stream already` : `${place} in ${latency(ms)}`;
}

/** The summary of a run as a table for people: several lines, without a newline at the end. */
export function formatSummary(summary: PublishSummary, target: Target): string {
  const { latency: times } = summary;
  if (target.only && summary.accepted === 1) return formatStored(target.only, times.max);
  const rows: [string, string][] = [
    ['sent', formatCount(summary.accepted)],
    ['confirmed', formatCount(summary.confirmed)],
  ];
  const optional: [string, number, string?][] = [
    ['duplicates', summary.duplicates, 'already in the stream'],
    ['rejected', summary.rejected, 'not stored'],
    ['unknown', summary.unknown, 'no answer: may be stored'],
    ['retried', summary.retried],
    [
      'maybe twice',
      summary.maybeTwice,
      'retried without a message id (see --dedupe), or after the duplicate window',
    ],
    ['reordered', summary.reordered, 'stored after a later message of their partition'],
    ['lines skipped', summary.skipped],
  ];
  for (const [name, count, note] of optional) {
    if (count > 0) rows.push([name, `${formatCount(count)}${note ? ` (${note})` : ''}`]);
  }
  const bytesPerSecond = summary.elapsedMs > 0 ? (summary.confirmedBytes / summary.elapsedMs) * 1_000 : 0;
  rows.push(['rate', `${formatCount(summary.ratePerSecond)} msg/s, ${formatBytes(bytesPerSecond)}/s`]);
  rows.push(['payload', `${formatBytes(summary.confirmedBytes)} in ${formatDuration(summary.elapsedMs)}`]);
  if (summary.missedMs > 0) rows.push(['behind schedule', `${formatDuration(summary.missedMs)} dropped`]);
  if (summary.confirmed > 0) {
    const named: [string, number][] = [
      ['min', times.min],
      ['avg', times.avg],
      ['p50', times.p50],
      ['p90', times.p90],
      ['p99', times.p99],
      ['p99.9', times.p999],
      ['max', times.max],
    ];
    rows.push(['latency', named.map(([name, ms]) => `${name} ${latency(ms)}`).join(', ')]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  const body = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const where = target.partitions === null ? target.subject : `${target.partitions} partitions`;
  return [`Published to ${target.stream}, ${where}`, ...body].join('\n');
}

/** The summary of a run as a JSON document: raw numbers, times in milliseconds. */
export function summaryJson(summary: PublishSummary, target: Target) {
  const { latency: times, firstError } = summary;
  return {
    stream: target.stream,
    partitions: target.partitions,
    ...(target.subject != null && { subject: target.subject }),
    sent: summary.accepted,
    confirmed: summary.confirmed,
    duplicates: summary.duplicates,
    failed: summary.rejected + summary.unknown,
    rejected: summary.rejected,
    unknown: summary.unknown,
    retried: summary.retried,
    maybeTwice: summary.maybeTwice,
    reordered: summary.reordered,
    disconnects: summary.disconnects,
    skipped: summary.skipped,
    bytes: summary.confirmedBytes,
    elapsedMs: round(summary.elapsedMs),
    ratePerSecond: round(summary.ratePerSecond, 1),
    missedMs: round(summary.missedMs),
    latencyMs: { ...times },
    stopped: summary.stopped,
    ...(target.only && {
      stored: {
        ...(target.only.partition === null
          ? { subject: target.only.subject }
          : { partition: target.only.partition }),
        sequence: target.only.sequence,
      },
    }),
    error: firstError && { code: firstError.code, message: firstError.message },
  };
}

/** The error of a failed run; undefined if every message was confirmed. */
export function failureOf(summary: PublishSummary): NatspocError | undefined {
  const { firstError, rejected, unknown, stopped } = summary;
  const unconfirmed = rejected + unknown;
  if (unconfirmed === 0) return firstError ?? undefined;
  const counts = `${unconfirmed} not confirmed: ${rejected} not stored, ${unknown} unknown`;
  if (stopped === 'signal') return new NatspocError('failed', `Stopped with ${counts}.`);
  if (firstError === null) return new NatspocError('not-confirmed', `${counts}.`);
  return new NatspocError(firstError.code, `${firstError.message} (${counts})`, { cause: firstError });
}

/** The values of a run that a progress display shows. */
export interface Progress {
  confirmed: number;
  pending: number;
  failed: number;
  /** Recent messages per second. */
  rate: number;
  /** Total messages, if known. */
  total: number | undefined;
  connected: boolean;
}

/**
 * One line of progress. On a terminal (`width`) the line is cut to this number of columns. If there is room and the total is known, it has
 * a bar.
 */
export function formatProgress(progress: Progress, width?: number): string {
  const { confirmed, total, pending, failed, rate, connected } = progress;
  const counts =
    total === undefined ? formatCount(confirmed) : `${formatCount(confirmed)} of ${formatCount(total)}`;
  const state = connected ? '' : '  reconnecting';
  const text = `${counts} confirmed  ${formatRate(rate)}  ${formatCount(pending)} pending  ${formatCount(failed)} errors${state}`;
  if (width === undefined) return text;
  const room = Math.min(30, width - text.length - 8);
  if (total === undefined || total === 0 || room < 6) return text.slice(0, width);
  const share = Math.min(1, confirmed / total);
  const filled = Math.round(share * room);
  return `${'━'.repeat(filled)}${'─'.repeat(room - filled)} ${String(Math.floor(share * 100)).padStart(3)}%  ${text}`;
}
