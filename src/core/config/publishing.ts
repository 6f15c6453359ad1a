import { parseRate } from '../lib/units.js';
import { integer } from './parse.js';
import { define } from './setting.js';

/** No publisher is this fast, so a higher number is probably a typo. */
const MOST_PER_SECOND = 10_000_000;

/** How messages are published. */
export const PUBLISHING = {
  rate: define({
    flag: 'rate',
    env: 'PUBLISH_RATE',
    parse: (value) => {
      const rate = parseRate(value);
      return rate !== undefined && rate > 0 && rate <= MOST_PER_SECOND ? rate : undefined;
    },
    allowed: 'a rate such as 500, 500/s or 30/m, up to 10000000 a second',
    help: 'messages per second; default: as fast as possible',
  }),
  maxPendingMessages: define({
    flag: 'max-pending',
    env: 'MAX_PENDING',
    fallback: '4000',
    ...integer(1, 1_000_000),
    help: 'limit of messages in flight, not yet confirmed',
  }),
} as const;
