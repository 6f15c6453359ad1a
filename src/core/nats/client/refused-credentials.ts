import { NatsError } from 'nats';
import { formatDuration } from '../../lib/units.js';
import type { NatsConnection } from './connection.js';
import { closeFor, watchConnection } from './watch-connection.js';

/** Expired credentials never become valid again, so waiting does not help. */
const FINAL = /EXPIRED/;

/**
 * Closes a connection whose credentials are refused, when they have been for `patienceMs` without a pause. Until then
 * the client tries again: a server that is restarted may not know its users for a moment.
 */
export function closeWhenRefused(connection: NatsConnection, patienceMs: number): void {
  let first: { at: number; code: string } | undefined;
  watchConnection(connection, {
    reconnected: () => {
      first = undefined;
    },
    unwelcome: (code) => {
      const now = performance.now();
      // The first refusal may be what ended the connection. Only the next one says that it does not come back.
      if (!first) {
        first = { at: now, code };
        return;
      }
      // Credentials that have expired are refused without a reason from then on.
      const reason = FINAL.test(first.code) ? first.code : code;
      if (now - first.at >= (FINAL.test(reason) ? 0 : patienceMs)) {
        closeFor(connection, new NatsError(reason, reason));
      }
    },
  });
}

/** Tells in one line when the credentials begin to be refused, until they are accepted again. */
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
