import type { State } from './state.js';

/** The operator who paused a partition, and when; undefined if it is not paused. */
export function pauseOf({ overrides }: State, partition: number): { by: string; at: string } | undefined {
  const record = overrides.get(partition)?.record;
  if (!record || record === 'unreadable' || !record.paused) return undefined;
  const { by, at } = record.pause ?? record;
  return { by, at };
}

/** True if an operator has paused the partition. */
export function isPaused(state: State, partition: number): boolean {
  const record = state.overrides.get(partition)?.record;
  return record !== undefined && record !== null && record !== 'unreadable' && record.paused;
}
