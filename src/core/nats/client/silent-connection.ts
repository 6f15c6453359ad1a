import type { NatsConnection } from 'nats';
import { noteReason, watchConnection } from './watch-connection.js';

/** Interval, in milliseconds, at which the server is asked and the connection is checked. */
const LOOK_MS = 2_000;
/** If nothing arrives for this time, in milliseconds, the connection is reopened. */
export const SILENT_MS = 6_000;

const watched = new WeakSet<NatsConnection>();

/**
 * Reopens a connection on which nothing arrives, not even the answer to a ping. Either the other end is gone, or an
 * exception in a callback of the program stopped the client's read loop. The client alone would notice this only after a
 * minute. Can be called more than once for a connection.
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
    // A late timer shows that this process was paused. Messages that arrived in the meantime are still unread.
    if (!up || inMsgs !== received || now - dueAt > LOOK_MS / 2) heardAt = now;
    received = inMsgs;
    dueAt = now + LOOK_MS;
    if (now - heardAt >= SILENT_MS) {
      heardAt = now;
      noteReason(connection, `nothing arrived for ${SILENT_MS / 1_000} s`);
      connection.reconnect().catch(() => {});
    } else if (up && !asking) ask();
  };
  const ask = (): void => {
    asking = true;
    connection
      .flush()
      .then(heard, () => {
        // The connection was lost, so no answer will arrive.
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
