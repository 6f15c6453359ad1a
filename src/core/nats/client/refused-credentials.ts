import { NatsError } from 'nats';
import { formatDuration } from '../../lib/units.js';
import type { NatsConnection } from './connection.js';
import { closeFor, watchConnection } from './watch-connection.js';

/** Expired credentials never become valid again, so waiting does not help. */
const FINAL = /EXPIRED/;

/**
 * Closes a connection if the server has refused its credentials for `patienceMs` without interruption. Until then the
 * client retries, because a restarted server may not know its users at first.
 */
export function closeWhenRefused(connection: NatsConnection, patienceMs: number): void {
  let first: { at: number; code: string } | undefined;
  watchConnection(connection, {
    reconnected: () => {
      first = undefined;
    },
    unwelcome: (code) => {
      const now = performance.now();
      // The first refusal may only have ended the old connection. A second one shows that a retry was refused too.
      if (!first) {
        first = { at: now, code };
        return;
      }
      // If credentials have expired, only the first refusal says so.
      const reason = FINAL.test(first.code) ? first.code : code;
      if (now - first.at >= (FINAL.test(reason) ? 0 : patienceMs)) {
        closeFor(connection, new NatsError(reason, reason));
      }
    },
  });
}

/** Writes one warning when the server starts to refuse the credentials. Warns again only after a reconnect. */
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
