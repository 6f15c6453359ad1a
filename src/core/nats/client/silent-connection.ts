import type { NatsConnection } from 'nats';
import { watchConnection } from './watch-connection.js';

/** The server is asked for an answer, and what has come is counted, this often. */
const LOOK_MS = 2_000;
/** A connection on which nothing came for this long, answers to what was asked included, is opened again. */
export const SILENT_MS = 6_000;

const watched = new WeakSet<NatsConnection>();

/**
 * Opens a connection again on which nothing arrives though the server was asked to answer: its other end is gone, or
 * the reading of it has ended, by an exception in a callback of the program around us. The client itself would notice
 * after a minute. May be called again for the same connection.
 */
export function reopenWhenSilent(connection: NatsConnection): void {
  if (watched.has(connection)) return;
  watched.add(connection);
  let heardAt = performance.now();
  let dueAt = heardAt + LOOK_MS;
  let received = 0;
  let asking = false;
  let up = true;
  const heard = (): void => {
    heardAt = performance.now();
  };
  const look = (): void => {
    const now = performance.now();
    const { inMsgs } = connection.stats();
    // A timer that is late means that this process slept: what has arrived meanwhile is still unread.
    if (!up || inMsgs !== received || now - dueAt > LOOK_MS / 2) heardAt = now;
    received = inMsgs;
    dueAt = now + LOOK_MS;
    if (now - heardAt >= SILENT_MS) {
      heardAt = now;
      // It is closed or being closed meanwhile.
      connection.reconnect().catch(() => {});
    } else if (up && !asking) ask();
  };
  const ask = (): void => {
    asking = true;
    connection
      .flush()
      .then(heard, () => {
        // The connection was lost: the answer is not to come.
      })
      .finally(() => {
        asking = false;
      });
  };
  const timer = setInterval(look, LOOK_MS).unref();
  watchConnection(connection, {
    disconnected: () => {
      up = false;
    },
    reconnected: () => {
      up = true;
      heard();
    },
    closed: () => clearInterval(timer),
  });
}
