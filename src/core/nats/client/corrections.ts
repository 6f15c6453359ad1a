import { hangUpOnGarbled } from './garbled.js';
import { readHeadersTolerantly } from './headers.js';
import { noticeHangUps } from './hung-up.js';

/** Corrects the client where a server could harm a member through it. May be called again. */
export function correctClient(): void {
  readHeadersTolerantly();
  hangUpOnGarbled();
  noticeHangUps();
}
