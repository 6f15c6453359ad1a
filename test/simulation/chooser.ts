import type { World } from './world.js';

/** The share of the chosen faults, if some of the list were chosen for this run. */
const CHOSEN = 0.7;

/** Draws from a list of faults or episodes, each as often as it is listed. */
export function chooser<T extends { name: string }>(
  { random, settings }: World,
  all: readonly T[],
): () => T | undefined {
  // The bundle numbers functions that have the same name in two files.
  const chosen = all.filter(({ name }) => settings.faults.includes(name.replace(/\d+$/, '')));
  return () => random.oneOf(chosen.length > 0 && random.chance(CHOSEN) ? chosen : all);
}
