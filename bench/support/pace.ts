import { PublishRun } from '../../src/cli/publish/run.js';
import { generatedSource, type MessageSource } from '../../src/cli/publish/source.js';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import { type PublishBench, renewStream } from './publishers.js';

/** How exactly a rate was kept. */
export interface PaceResult {
  target: number;
  /** Confirmed messages a second over the whole run. */
  actual: number;
  errorPercent: number;
  /** The fewest and the most messages that were sent in a complete window of 100 ms. */
  windowMin: number;
  windowMax: number;
  missedMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const WINDOW_MS = 100;

/** Publishes at a rate for a time, and counts the messages in windows of 100 ms. */
export async function measurePace(
  bench: PublishBench,
  rate: number,
  durationMs: number,
): Promise<PaceResult> {
  await renewStream(bench);
  const windows = new Array<number>(Math.floor(durationMs / WINDOW_MS)).fill(0);
  const generated = generatedSource({ sizeBytes: bench.sizeBytes }, {});
  let startMs = 0;
  const source: MessageSource = {
    skipped: 0,
    next() {
      const window = Math.floor((performance.now() - startMs) / WINDOW_MS);
      if (window < windows.length) windows[window] = (windows[window] ?? 0) + 1;
      return generated.next();
    },
    close() {},
  };
  const run = new PublishRun({
    layout: bench.layout,
    openPort: natsPublishPort(bench.connection, { stream: bench.stream }),
    source,
    rate,
    durationMs,
    maxPendingMessages: Math.max(bench.inFlight, 20_000),
    timeoutMs: 30_000,
    onFailure: 'stop',
  });
  startMs = performance.now();
  const summary = await run.run();
  const actual = (summary.confirmed / durationMs) * 1_000;
  return {
    target: rate,
    actual,
    errorPercent: (actual / rate - 1) * 100,
    windowMin: Math.min(...windows),
    windowMax: Math.max(...windows),
    missedMs: summary.missedMs,
    p50Ms: summary.latency.p50,
    p99Ms: summary.latency.p99,
    maxMs: summary.latency.max,
  };
}
