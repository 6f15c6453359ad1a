import assert from 'node:assert/strict';
import { formatProgress, formatSummary, summaryJson } from '../../src/cli/publish/report.js';
import type { PublishSummary } from '../../src/cli/publish/run.js';

const SUMMARY: PublishSummary = {
  accepted: 1_000_000,
  confirmed: 1_000_000,
  duplicates: 0,
  rejected: 0,
  unknown: 0,
  retried: 0,
  maybeTwice: 0,
  reordered: 0,
  disconnects: 0,
  confirmedBytes: 128_000_000,
  skipped: 0,
  elapsedMs: 5_000,
  ratePerSecond: 200_000,
  missedMs: 0,
  latency: { min: 0.25, avg: 19.5, p50: 19, p90: 27, p99: 38.4, p999: 95, max: 1_070 },
  stopped: null,
  firstError: null,
};
const TARGET = { stream: 'EVENTS', partitions: 8 };

describe('the report of a publishing run', () => {
  it('the report is short if there were no problems', () => {
    assert.equal(
      formatSummary(SUMMARY, TARGET),
      `Published to EVENTS, 8 partitions
  sent       1,000,000
  confirmed  1,000,000
  rate       200,000 msg/s, 24 MiB/s
  payload    122 MiB in 5.0 s
  latency    min 250 µs, avg 20 ms, p50 19 ms, p90 27 ms, p99 38 ms, p99.9 95 ms, max 1.1 s`,
    );
  });

  it('the report lists the problems', () => {
    const summary = {
      ...SUMMARY,
      confirmed: 10,
      rejected: 3,
      unknown: 2,
      retried: 7,
      maybeTwice: 4,
      missedMs: 1_500,
    };
    const text = formatSummary(summary, TARGET);
    for (const line of [
      /rejected +3 \(not stored\)/,
      /unknown +2 \(/,
      /maybe twice +4 \(.*--dedupe/,
      /behind schedule +1\.5 s/,
    ]) {
      assert.match(text, line);
    }
  });

  it('the report has raw numbers in JSON', () => {
    const json = summaryJson({ ...SUMMARY, rejected: 1, unknown: 2 }, TARGET);
    assert.deepEqual(
      [json.sent, json.failed, json.bytes, json.latencyMs.p999],
      [1_000_000, 3, 128_000_000, 95],
    );
  });

  it('the progress of a run fits into the width of the terminal', () => {
    const progress = {
      confirmed: 917_793,
      pending: 4_000,
      failed: 0,
      rate: 183_000,
      total: 1_000_000,
      connected: true,
    };
    assert.match(
      formatProgress(progress, 120),
      /^━+─+ {2}91% {2}917,793 of 1,000,000 confirmed {2}183k\/s {2}4,000 pending {2}0 errors$/,
    );
    for (const total of [undefined, 1_000_000]) {
      for (let width = 10; width < 140; width++) {
        assert.ok(formatProgress({ ...progress, total }, width).length <= width, String(width));
      }
    }
    assert.equal(formatProgress(progress), '917,793 of 1,000,000 confirmed  183k/s  4,000 pending  0 errors');
    assert.match(formatProgress({ ...progress, connected: false }, 120), /reconnecting$/);
  });
});
