import { parseRate } from '../units.js';
import { integer } from './parse.js';
import { define } from './setting.js';

/** How messages are published. */
export const PUBLISHING = {
  rate: define({
    flag: 'rate',
    env: 'PUBLISH_RATE',
    parse: (value) => {
      const rate = parseRate(value);
      return rate !== undefined && rate > 0 && rate <= 10_000_000 ? rate : undefined;
    },
    allowed: 'a rate such as 500, 500/s or 30/m',
    help: 'messages a second; as fast as possible without it',
  }),
  maxPendingMessages: define({
    flag: 'max-pending',
    env: 'MAX_PENDING',
    fallback: '4000',
    parse: integer(1, 1_000_000),
    allowed: 'a whole number from 1 to 1000000',
    help: 'published messages in flight, not yet confirmed',
  }),
} as const;
