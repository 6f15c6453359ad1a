import { DebugEvents, Events, type NatsConnection, NatsError, type Status } from 'nats';
import { messageOf, NatspocError } from '../../lib/errors.js';
import type { Break } from '../../ports/index.js';
import { safely } from './listen.js';

/** The client's codes for refused credentials. */
export const IDENTITY_CODES = /AUTH|CREDS|ACCOUNT/;

/** Why the server refused the credentials; undefined if the client's error `code` has another meaning. */
function refusalIn(code: string): string | undefined {
  if (!IDENTITY_CODES.test(code)) return undefined;
  return /EXPIRED/.test(code)
    ? 'the credentials have expired'
    : 'the server no longer accepts the credentials';
}

/**
 * The error for a connection that was closed for good, in most cases because the credentials are no longer valid.
 *
 * @param error the client's error; undefined if this process closed the connection.
 * @param complaint the last code with which the server refused the credentials. The final error may come from a later attempt, in which the
 *   server closed the connection without a reason.
 */
export function closedError(error: unknown, complaint = ''): NatspocError {
  const closed = 'The connection to NATS was closed';
  if (error === undefined || error === null)
    return new NatspocError('unreachable', `${closed} by this process, before its member had left.`);
  const last = error instanceof NatsError ? error.code : '';
  const why = refusalIn(last) ?? refusalIn(complaint);
  if (why === undefined)
    return new NatspocError('unreachable', `${closed}: ${messageOf(error)}.`, { cause: error });
  return new NatspocError('authentication-failed', `${closed}: ${why}.`, { cause: error });
}

/** Events of a connection. `refused` names the operation and subject that are not permitted. */
export interface ConnectionEvents {
  /** The connection broke. Each break is reported once. */
  disconnected?: (about: Break) => void;
  /** An attempt to reconnect starts. */
  reconnecting?: () => void;
  /** The connection is back after a break. `server`: host and port of the server that is connected now; null if unknown. */
  reconnected?: (server: string | null) => void;
  refused?: (operation: string, subject: string) => void;
  /** The server refused the credentials; `code` is the client's error code. */
  unwelcome?: (code: string) => void;
  /** Closed for good. `error`: the client's reason; undefined if this process closed the connection. */
  closed?: (error: unknown) => void;
}

/**
 * The watchers of each connection. All watchers of a connection share one loop, because the client keeps every status
 * iterator until the connection closes.
 */
const watchers = new WeakMap<NatsConnection, Set<ConnectionEvents>>();

/** For each connection that this process closed with {@link closeFor}, the reason. */
const reasons = new WeakMap<NatsConnection, NatsError>();

/** Closes a connection, and reports the reason to its watchers. */
export function closeFor(connection: NatsConnection, reason: NatsError): void {
  reasons.set(connection, reason);
  void connection.close();
}

/** Reports changes of the connection until the connection closes, or until the returned function is called. */
export function watchConnection(connection: NatsConnection, events: ConnectionEvents): () => void {
  let set = watchers.get(connection);
  if (!set) {
    set = new Set();
    watchers.set(connection, set);
    void dispatch(connection, set);
    void awaitEnd(connection, set);
  }
  const all = set;
  all.add(events);
  return () => void all.delete(events);
}

// `awaitEnd` and `dispatch` are separate functions, because a closure in `watchConnection` would keep the first watcher's
// events alive forever.
async function awaitEnd(connection: NatsConnection, watching: ReadonlySet<ConnectionEvents>): Promise<void> {
  const end = await connection.closed();
  const error = end ?? reasons.get(connection);
  // A watcher that is added after this deletion starts new loops, which also report that the connection is closed.
  watchers.delete(connection);
  for (const events of [...watching]) safely(() => events.closed?.(error));
}

async function dispatch(connection: NatsConnection, watching: ReadonlySet<ConnectionEvents>): Promise<void> {
  // `isBroken` is undefined at first, because the connection may already be broken when the first watcher is added.
  let isBroken: boolean | undefined;
  for await (const status of connection.status()) {
    // If credentials were refused, the client ends the connection itself, and reports the same status as for missing answers to pings.
    const isRefused = status.type === DebugEvents.StaleConnection && refused.delete(connection);
    const reason = isRefused ? undefined : reasonIn(status);
    if (status.type === Events.Error && refusalIn(String(status.data))) refused.add(connection);
    if (reason !== undefined) noteReason(connection, reason);
    const about = { server: addressIn(status, connection), reason: breaking.get(connection) ?? null };
    if (status.type === Events.Reconnect) {
      breaking.delete(connection);
      refused.delete(connection);
    }
    // For each attempt to reconnect that the server ends, the client reports a break and later also a reconnect. Only changes between
    // broken and connected are passed on.
    if (isBreak(status) || status.type === Events.Reconnect) {
      if (isBroken === isBreak(status)) continue;
      isBroken = isBreak(status);
    }
    for (const events of [...watching]) safely(() => tell(status, about, events));
  }
}

const isBreak = ({ type }: Status): boolean =>
  type === Events.Disconnect || type === DebugEvents.StaleConnection;

/** For each connection, the reason for a break that has happened or is about to happen. */
const breaking = new WeakMap<NatsConnection, string>();

/** The connections whose credentials were refused since they were established. */
const refused = new WeakSet<NatsConnection>();

/** Records why a connection is about to break, so that its watchers get the reason. */
export function noteReason(connection: NatsConnection, reason: string): void {
  breaking.set(connection, reason);
}

/** The cause of a break, if a status of the client contains one; otherwise undefined. A server that has died gives no reason. */
function reasonIn({ type, data, permissionContext }: Status): string | undefined {
  if (type === DebugEvents.StaleConnection) return 'the server did not answer pings';
  if (type === Events.LDM) return 'the server shuts down';
  if (type !== Events.Error || permissionContext) return undefined;
  return refusalIn(String(data)) ?? String(data);
}

/** The server of a break or a reconnect, as the client's status event names it; null if the event names no server. */
function addressIn({ type, data }: Status, connection: NatsConnection): string | null {
  if (type === DebugEvents.StaleConnection) return connection.getServer();
  return typeof data === 'string' && data !== '' ? data : null;
}

function tell(status: Status, about: Break, events: ConnectionEvents): void {
  const { type, data, permissionContext } = status;
  if (isBreak(status)) events.disconnected?.(about);
  else if (type === DebugEvents.Reconnecting) events.reconnecting?.();
  else if (type === Events.Reconnect) events.reconnected?.(about.server);
  else if (permissionContext) events.refused?.(permissionContext.operation, permissionContext.subject);
  else if (type === Events.Error && refusalIn(String(data))) events.unwelcome?.(String(data));
}

/** Events of {@link watchServer}. */
export interface ServerEvents {
  /** `server`: host and port. `version`: the server's version. */
  connected(server: string, version: string): void;
  disconnected(): void;
  /** An attempt to reconnect starts. */
  reconnecting(): void;
}

/** Reports the server of a connection, now and after each change, until the connection closes. */
export function watchServer(connection: NatsConnection, events: ServerEvents): void {
  const connected = () => events.connected(connection.getServer(), connection.info?.version ?? '');
  connected();
  watchConnection(connection, {
    disconnected: () => events.disconnected(),
    reconnecting: () => events.reconnecting(),
    reconnected: connected,
  });
}
