import type { State } from './state.js';

/** A pseudo-random number from 0 to 1 (mulberry32). It depends only on the seed, so runs can be replayed. */
export function random(state: Pick<State, 'random'>): number {
  state.random = (state.random + 0x6d2b79f5) >>> 0;
  let t = state.random;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
