import type { Config } from './config.js';

/** Settings of the layout of one group, which are dropped for another group. */
const OF_LAYOUT = new Set(['key', 'filter', 'partitions']);

/** The configuration for another group of the same stream. */
export const configOf = (config: Config, group: string): Config => ({
  ...config,
  group,
  key: undefined,
  filter: undefined,
  given: new Set([...config.given].filter((name) => !OF_LAYOUT.has(name))),
});
