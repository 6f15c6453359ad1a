import { DebugEvents, Events, type NatsConnection, NatsError, type Status } from 'nats';
import { messageOf, NatspocError } from '../../lib/errors.js';
import { withoutStop } from '../../lib/text.js';
import type { Break } from '../../ports/index.js';
import { safely } from './listen.js';

/** The client's codes for refused credentials. */
export const IDENTITY_CODES = /AUTH|CREDS|ACCOUNT/;

/** Why the server refused the credentials, if `code` is a refusal. */
function refusalIn(code: string): string | undefined {
  if (!IDENTITY_CODES.test(code)) return undefined;
  return /EXPIRED/.test(code)
    ? 'the credentials have expired'
    : 'the server no longer accepts the credentials';
}

/**
 * The error for a connection that was closed for good.
 *
 * @param error the client's error; undefined if this process closed the connection.
 * @param complaint the last code with which the server refused the credentials. It explains a final error without a
 *   reason.
 */
export function closedError(error: unknown, complaint = ''): NatspocError {
  const closed = 'The connection to NATS was closed';
  if (error === undefined || error === null)
    return new NatspocError('unreachable', `${closed} by this process, before its member had left.`);
  const last = error instanceof NatsError ? error.code : '';
  const why = refusalIn(last) ?? refusalIn(complaint);
  if (why === undefined)
    return new NatspocError('unreachable', `${closed}: ${withoutStop(messageOf(error))}.`, { cause: error });
  return new NatspocError('authentication-failed', `${closed}: ${why}.`, { cause: error });
}

/** The error if the program itself has closed the connection that it passed. */
export const closedByUs = (): NatspocError =>
  new NatspocError('unreachable', 'The connection to NATS was closed by this process: open another one.');

/** Events of a connection. `refused` gets the operation and subject that are not permitted. */
export interface ConnectionEvents {
  /** The connection broke. */
  disconnected?: (about: Break) => void;
  reconnecting?: () => void;
  /** The connection is back after a break. `server`: host and port of the new server; null if unknown. */
  reconnected?: (server: string | null) => void;
  refused?: (operation: string, subject: string) => void;
  /** The server refused the credentials; `code` is the client's error code. */
  unwelcome?: (code: string) => void;
  /** Closed for good. `error`: the client's reason; undefined if this process closed the connection. */
  closed?: (error: unknown) => void;
}

/**
 * The watchers of each connection. They share one loop, because the client keeps every status iterator until the
 * connection closes.
 */
const watchers = new WeakMap<NatsConnection, Set<ConnectionEvents>>();

/** Why this process closed a connection with {@link closeFor}. */
const reasons = new WeakMap<NatsConnection, NatsError>();

/** Closes a connection, and reports the reason to its watchers. */
export function closeFor(connection: NatsConnection, reason: NatsError): void {
  reasons.set(connection, reason);
  void connection.close();
}

/** Reports changes until the connection closes, or until the returned function is called. */
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

// `awaitEnd` and `dispatch` are not closures of `watchConnection`. A closure would keep the first watcher's events in
// memory.
async function awaitEnd(connection: NatsConnection, watching: ReadonlySet<ConnectionEvents>): Promise<void> {
  const end = await connection.closed();
  const error = end ?? reasons.get(connection);
  // A watcher that is added later starts new loops. They report the end to it.
  watchers.delete(connection);
  for (const events of [...watching]) safely(() => events.closed?.(error));
}

async function dispatch(connection: NatsConnection, watching: ReadonlySet<ConnectionEvents>): Promise<void> {
  // Undefined at first: the connection may already be broken.
  let isBroken: boolean | undefined;
  for await (const status of connection.status()) {
    // After refused credentials, the client ends the connection itself. It reports the same status as for unanswered
    // pings.
    const isRefused = status.type === DebugEvents.StaleConnection && refused.delete(connection);
    const reason = isRefused ? undefined : reasonIn(status);
    if (status.type === Events.Error && refusalIn(String(status.data))) refused.add(connection);
    if (reason !== undefined) noteReason(connection, reason);
    const about = { server: addressIn(status, connection), reason: breaking.get(connection) ?? null };
    if (status.type === Events.Reconnect) {
      breaking.delete(connection);
      refused.delete(connection);
    }
    // If the server ends several attempts to reconnect, the client reports several breaks, then several reconnects. Only
    // the first of each is passed on.
    if (isBreak(status) || status.type === Events.Reconnect) {
      if (isBroken === isBreak(status)) continue;
      isBroken = isBreak(status);
    }
    for (const events of [...watching]) safely(() => tell(status, about, events));
  }
}

const isBreak = ({ type }: Status): boolean =>
  type === Events.Disconnect || type === DebugEvents.StaleConnection;

/** Why a connection broke or is about to break. */
const breaking = new WeakMap<NatsConnection, string>();

/** Connections whose current credentials were refused. */
const refused = new WeakSet<NatsConnection>();

/** Records why a connection is about to break, so that its watchers get the reason. */
export function noteReason(connection: NatsConnection, reason: string): void {
  breaking.set(connection, reason);
}

/** The reason for a break, if the status contains one. */
function reasonIn({ type, data, permissionContext }: Status): string | undefined {
  if (type === DebugEvents.StaleConnection) return 'the server did not answer pings';
  if (type === Events.LDM) return 'the server shuts down';
  if (type !== Events.Error || permissionContext) return undefined;
  return refusalIn(String(data)) ?? String(data);
}

/** The server in the status of a break or reconnect; null if there is none. */
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
  reconnecting(): void;
}

/** Reports the connected server, now and after each change, until the connection closes. */
export function watchServer(connection: NatsConnection, events: ServerEvents): void {
  const connected = () => events.connected(connection.getServer(), connection.info?.version ?? '');
  connected();
  watchConnection(connection, {
    disconnected: () => events.disconnected(),
    reconnecting: () => events.reconnecting(),
    reconnected: connected,
  });
}
