import type { NatsConnection } from 'nats';
import { noteReason, watchConnection } from './watch-connection.js';

/** Interval, in milliseconds, of requests to the server and of checks whether anything has arrived. */
const LOOK_MS = 2_000;
/** A connection on which nothing arrived for this time, not even an answer, is reopened. */
export const SILENT_MS = 6_000;

const watched = new WeakSet<NatsConnection>();

/**
 * Reopens a connection on which nothing arrives although the server was asked to answer. Either the other end is gone, or
 * an exception in a callback of the program stopped the client's read loop. Without this check, the client would notice a
 * silent connection only after a minute. May be called more than once for the same connection.
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
    // A late timer means that this process was stopped, so messages that arrived during the stop are still unread.
    if (!up || inMsgs !== received || now - dueAt > LOOK_MS / 2) heardAt = now;
    received = inMsgs;
    dueAt = now + LOOK_MS;
    if (now - heardAt >= SILENT_MS) {
      heardAt = now;
      noteReason(connection, `nothing arrived for ${SILENT_MS / 1_000} s`);
      // If the reconnect fails, the connection is closed or closing.
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
