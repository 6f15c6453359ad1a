import { hangUpOnGarbled } from './garbled.js';
import { readHeadersTolerantly } from './headers.js';
import { noticeHangUps } from './hung-up.js';

/** Corrects faults of the client through which a server could harm a member. May be called more than once. */
export function correctClient(): void {
  readHeadersTolerantly();
  hangUpOnGarbled();
  noticeHangUps();
}
