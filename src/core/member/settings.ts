import { hostname } from 'node:os';
import type { Config } from '../config/config.js';
import { NatspocError } from '../lib/errors.js';
import type { ReaderWindow } from '../ports/index.js';
import { type Timing, timingFor, unsafeTiming } from '../protocol/timing.js';
import type { MemberSettings } from './engine/contract.js';

/**
 * The protocol's times, taken from a configuration.
 *
 * @throws NatspocError `config` if the times are not safe together.
 */
export function safeTiming(config: Config): Timing {
  const timing = timingFor(config.ttlMs, config.probeIntervalMs);
  const unsafe = unsafeTiming(timing);
  if (unsafe) throw new NatspocError('config', `These times are not safe together: ${unsafe}.`);
  return timing;
}

/** Limit on messages and bytes in memory, for all partitions together. */
export const budgetOf = (config: Config): ReaderWindow => ({
  messages: config.bufferMessages,
  bytes: config.bufferBytes,
});

/** The settings of a member. */
export function memberSettings(
  config: Config,
  about: Pick<MemberSettings, 'name' | 'version' | 'partitions' | 'layout' | 'start' | 'timing'>,
): MemberSettings {
  return {
    ...about,
    group: config.group,
    host: hostname(),
    pid: process.pid,
    runner: {
      commit: { intervalMs: config.commitIntervalMs, every: config.commitEvery },
      failure: {
        maxAttempts: config.maxAttempts,
        backoff: config.backoff,
        onExhausted: config.onFailure,
      },
      concurrency: config.concurrency,
      handlerTimeoutMs: config.handlerTimeoutMs,
      drainTimeoutMs: config.drainTimeoutMs,
      maxCrashes: config.maxCrashes,
    },
    maxConcurrency: config.maxConcurrency,
    budget: budgetOf(config),
    seed: Math.floor(Math.random() * 0xffffffff),
  };
}
