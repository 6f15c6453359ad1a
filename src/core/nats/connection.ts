import { readFileSync } from 'node:fs';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  DebugEvents,
  Events,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
} from 'nats';
import type { Config } from '../config.js';
import { messageOf, NatspocError } from '../errors.js';

export type { NatsConnection } from 'nats';

/** The URL without the user and password that it may carry: fit for messages. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/^[^/@]*@/, '');
}

function readSecretFile(path: string, flag: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new NatspocError('config', `--${flag}: cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

function tlsOptions(config: Config): Partial<ConnectionOptions> {
  const { tlsca, tlscert, tlskey, tlsfirst } = config;
  if (!(tlsca || tlscert || tlskey || tlsfirst)) return {};
  for (const [flag, path] of Object.entries({ tlsca, tlscert, tlskey })) {
    if (path) readSecretFile(path, flag);
  }
  return {
    tls: {
      ...(tlsca && { caFile: tlsca }),
      ...(tlscert && { certFile: tlscert }),
      ...(tlskey && { keyFile: tlskey }),
      ...(tlsfirst && { handshakeFirst: true }),
    },
  };
}

function authOptions(config: Config): Partial<ConnectionOptions> {
  const { creds, nkey, user, password, token } = config;
  if (creds) return { authenticator: credsAuthenticator(readSecretFile(creds, 'creds')) };
  if (nkey) {
    const seed = new TextDecoder().decode(readSecretFile(nkey, 'nkey')).trim();
    return { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) };
  }
  if (token) return { token };
  // As in the nats CLI: a user without a password is a token.
  if (user && password === undefined) return { token: user };
  return user ? { user, pass: password } : {};
}

function connectError(error: unknown, config: Config): NatspocError {
  const urls = config.server.map(redactUrl).join(', ');
  const code = error instanceof NatsError ? error.code : '';
  const chained = error instanceof NatsError ? error.chainedError : undefined;
  const why = messageOf(chained ?? error).toLowerCase();
  if (/AUTH|CREDS/.test(code)) {
    return new NatspocError(
      'authentication-failed',
      `${urls} refused the credentials. Check --user, --password, --token, --creds or --nkey.`,
      { cause: error },
    );
  }
  if (/certificate|tls|ssl|self.signed/.test(why)) {
    return new NatspocError(
      'unreachable',
      `TLS with ${urls} failed: ${why}. Check --tlsca, --tlscert and --tlskey.`,
      {
        cause: error,
      },
    );
  }
  const reason =
    code === 'TIMEOUT' ? 'no answer in time' : /refused/i.test(code + why) ? 'connection refused' : why;
  return new NatspocError(
    'unreachable',
    `Cannot reach NATS at ${urls} (${reason}). Start a local one with "natspoc server", or set --server or NATS_URL.`,
    { cause: error },
  );
}

/**
 * Opens a connection that afterwards reconnects for ever: what an absent server means is for the caller to
 * decide. The first attempt is bounded by the configured timeout.
 *
 * @throws NatspocError `unreachable`, `authentication-failed` or `config`.
 */
export async function connectNats(config: Config, name: string): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    servers: config.server,
    name,
    timeout: config.timeoutMs,
    maxReconnectAttempts: -1,
    // Fast: a member that is back before others may suspect it keeps its partitions.
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 20_000,
    noAsyncTraces: true,
    ...(config.inboxPrefix && { inboxPrefix: config.inboxPrefix }),
    ...tlsOptions(config),
    ...authOptions(config),
  };
  try {
    return await connect(options);
  } catch (error) {
    if (error instanceof NatspocError) throw error;
    throw connectError(error, config);
  }
}

/** What a connection goes through. `refused` names the operation and subject that permissions forbid. */
export interface ConnectionEvents {
  disconnected?: () => void;
  reconnected?: () => void;
  refused?: (operation: string, subject: string) => void;
}

/** Reports changes of the connection until it closes. */
export function watchConnection(connection: NatsConnection, events: ConnectionEvents): void {
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect || status.type === DebugEvents.StaleConnection)
        events.disconnected?.();
      else if (status.type === Events.Reconnect) events.reconnected?.();
      else if (status.permissionContext) {
        events.refused?.(status.permissionContext.operation, status.permissionContext.subject);
      }
    }
  })();
}
