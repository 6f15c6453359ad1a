import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { credentialsOf, isSecret } from '../../lib/redact-url.js';
import { readSmallFile, UnreadableFile } from '../../lib/small-file.js';

/** Size limit of a file with credentials or certificates: ten times a usual bundle of certificate authorities. */
const LIMIT_BYTES = 4 * 1_048_576;

type FileSetting = 'creds' | 'nkey' | 'tlsca' | 'tlscert' | 'tlskey';

function readFile(config: Config, setting: FileSetting, path: string): Uint8Array {
  if (isSecret(path)) {
    const advice = 'write it to a file that only you can read, and give the name of the file';
    throw new NatspocError('config', `${config.place(setting)} is the secret itself: ${advice}.`);
  }
  // The client reads TLS files more than once, so these files must not be pipes.
  const pipes = setting === 'creds' || setting === 'nkey';
  try {
    return readSmallFile(path, { limitBytes: LIMIT_BYTES, pipes });
  } catch (cause) {
    if (!(cause instanceof UnreadableFile)) throw cause;
    const message = `${config.place(setting)}: cannot read ${path}: ${cause.message}.`;
    throw new NatspocError('config', message, { cause });
  }
}

/** A `tls://` URL requires TLS as well. */
function tlsOptions(config: Config): Partial<ConnectionOptions> {
  const { server, tlsca, tlscert, tlskey, tlsfirst } = config;
  const asked = server.some((url) => url.startsWith('tls://'));
  if (!(asked || tlsca || tlscert || tlskey || tlsfirst)) return {};
  if (Boolean(tlscert) !== Boolean(tlskey)) {
    const [given, missing] = tlscert ? (['tlscert', 'tlskey'] as const) : (['tlskey', 'tlscert'] as const);
    const needs = `${config.place(given)} needs ${config.place(missing)}`;
    throw new NatspocError('config', `${needs}: a client certificate needs both.`);
  }
  for (const setting of ['tlsca', 'tlscert', 'tlskey'] as const) {
    const path = config[setting];
    if (path) readFile(config, setting, path);
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

/** Reads the seed in a file. The file can contain comments, as files of `nsc` do. */
function readSeed(config: Config, path: string): Uint8Array {
  const text = new TextDecoder().decode(readFile(config, 'nkey', path));
  const seed = /^\s*(S[A-Z0-9]{50,})\s*$/m.exec(text)?.[1];
  if (!seed) throw new NatspocError('config', `${config.place('nkey')}: ${path} holds no NKEY seed.`);
  return new TextEncoder().encode(seed);
}

function readCreds(config: Config, path: string): Uint8Array {
  const creds = readFile(config, 'creds', path);
  if (!/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(new TextDecoder().decode(creds))) {
    const problem = `${path} holds no credentials (a user JWT and its NKEY seed).`;
    throw new NatspocError('config', `${config.place('creds')}: ${problem}`);
  }
  return creds;
}

/** Credentials: from a file, a token, user and password, or a URL. */
function authOptions(config: Config): Partial<ConnectionOptions> {
  const { creds, nkey, token } = config;
  if (creds) return { authenticator: credsAuthenticator(readCreds(config, creds)) };
  if (nkey) return { authenticator: nkeyAuthenticator(readSeed(config, nkey)) };
  if (token) return { token };
  const inUrl = config.server.map(credentialsOf).find((found) => found !== undefined);
  const { user, password } = config.user ? config : (inUrl ?? { user: undefined, password: undefined });
  if (!user) return {};
  // As in the nats CLI, a user without a password is a token.
  return password === undefined ? { token: user } : { user, pass: password };
}

/**
 * Timeout of one attempt to connect, in milliseconds. If a server stops answering during a handshake, for example because it restarts, the
 * client waits this long.
 */
const HANDSHAKE_MS = 10_000;

/**
 * The client's options for a configuration.
 *
 * @throws NatspocError `config` for a file that cannot be read or has the wrong content.
 */
export function connectOptions(config: Config, name: string): ConnectionOptions {
  return {
    // The client does not support credentials in URLs, so they are removed here.
    servers: config.server.map((url) => url.replace(/^((?:\w+:\/\/)?)[^@/]*@/, '$1')),
    name,
    timeout: Math.min(config.timeoutMs, HANDSHAKE_MS),
    maxReconnectAttempts: -1,
    // Without this option the client gives up after two refusals in quick succession.
    ignoreAuthErrorAbort: true,
    // A member keeps its partitions if it reconnects before other members suspect it.
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 20_000,
    noAsyncTraces: true,
    ...(config.inboxPrefix && { inboxPrefix: config.inboxPrefix }),
    ...tlsOptions(config),
    ...authOptions(config),
  };
}
