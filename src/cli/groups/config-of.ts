import type { Config } from '../../core/config/config.js';

/** Settings that the layout of a group decides, and that another group need not share. */
const OF_LAYOUT = new Set(['key', 'filter', 'partitions']);

/** The configuration with another group, whatever its layout is. */
export const configOf = (config: Config, group: string): Config => ({
  ...config,
  group,
  key: undefined,
  filter: undefined,
  given: new Set([...config.given].filter((name) => !OF_LAYOUT.has(name))),
});
