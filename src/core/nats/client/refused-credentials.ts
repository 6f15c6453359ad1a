import { NatsError } from 'nats';
import { formatDuration } from '../../lib/units.js';
import type { NatsConnection } from './connection.js';
import { closeFor, watchConnection } from './watch-connection.js';

/** Expired credentials never become valid again, so waiting does not help. */
const FINAL = /EXPIRED/;

/**
 * Closes a connection whose credentials were refused for `patienceMs` without interruption. For `patienceMs`, the client retries, because a
 * restarted server may not know its users at first.
 */
export function closeWhenRefused(connection: NatsConnection, patienceMs: number): void {
  let first: { at: number; code: string } | undefined;
  watchConnection(connection, {
    reconnected: () => {
      first = undefined;
    },
    unwelcome: (code) => {
      const now = performance.now();
      // The first refusal may have ended the connection. Only a second refusal shows that the server still refuses the credentials.
      if (!first) {
        first = { at: now, code };
        return;
      }
      // If the credentials have expired, only the first refusal names the expiry as the reason.
      const reason = FINAL.test(first.code) ? first.code : code;
      if (now - first.at >= (FINAL.test(reason) ? 0 : patienceMs)) {
        closeFor(connection, new NatsError(reason, reason));
      }
    },
  });
}

/**
 * Writes one line when the server starts to refuse the credentials. Writes another line only if the server refuses the
 * credentials again after a reconnect.
 */
export function tellRefusals(
  connection: NatsConnection,
  patienceMs: number,
  note: (line: string) => void,
): void {
  let told = false;
  watchConnection(connection, {
    reconnected: () => {
      told = false;
    },
    unwelcome: (code) => {
      if (told || FINAL.test(code)) return;
      told = true;
      note(`warning: the server refuses the credentials: trying again for ${formatDuration(patienceMs)}`);
    },
  });
}
