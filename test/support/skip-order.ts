import type { GivenUp } from '../../src/core/member/partition/give-ups.js';

/** An operator's order to skip a message after its first failed attempt. */
export const ORDER: Omit<GivenUp, 'partition'> = {
  how: 'skip',
  by: 'ann@host',
  attempts: 1,
  reason: 'no connection',
  isHalted: false,
};
