import { duration, integer, text } from './parse.js';
import { define } from './setting.js';

/** How the state of groups is exported. */
export const EXPORTER = {
  exporterPort: define({
    flag: 'port',
    env: 'EXPORTER_PORT',
    fallback: '9465',
    ...integer(0, 65_535),
    allowed: 'a port from 1 to 65535, or 0 for a free one',
    help: 'port of the exporter',
  }),
  exporterHost: define({
    flag: 'host',
    env: 'EXPORTER_HOST',
    fallback: '127.0.0.1',
    parse: text,
    allowed: 'an address of this machine',
    help: 'address on which the exporter listens',
  }),
  refreshMs: define({
    flag: 'refresh',
    env: 'EXPORTER_REFRESH',
    fallback: '10s',
    ...duration('1s', '1h', '10s'),
    help: 'how often the exporter reads the groups; after a slow reading it pauses nine times as long as the reading took, up to a minute',
  }),
  drainTargetMs: define({
    flag: 'drain-target',
    env: 'DRAIN_TARGET',
    fallback: '5m',
    ...duration('1s', '7d', '5m'),
    help: 'time in which the suggested number of members should drain the backlog',
  }),
} as const;
