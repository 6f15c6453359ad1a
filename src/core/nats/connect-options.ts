import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { Config } from '../config.js';
import { messageOf, NatspocError } from '../errors.js';
import { credentialsOf } from '../redact.js';

function readFile(path: string, flag: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'not permitted' : messageOf(cause);
    throw new NatspocError('config', `--${flag}: cannot read ${path}: ${why}.`, { cause });
  }
}

/** TLS as the flags say. A `tls://` URL asks for it, too: then a server without it is refused. */
function tlsOptions(config: Config): Partial<ConnectionOptions> {
  const { server, tlsca, tlscert, tlskey, tlsfirst } = config;
  const asked = server.some((url) => url.startsWith('tls://'));
  if (!(asked || tlsca || tlscert || tlskey || tlsfirst)) return {};
  if (Boolean(tlscert) !== Boolean(tlskey)) {
    const [given, missing] = tlscert ? ['--tlscert', '--tlskey'] : ['--tlskey', '--tlscert'];
    throw new NatspocError('config', `${given} needs ${missing}: a client certificate has both.`);
  }
  for (const [flag, path] of Object.entries({ tlsca, tlscert, tlskey })) if (path) readFile(path, flag);
  return {
    tls: {
      ...(tlsca && { caFile: tlsca }),
      ...(tlscert && { certFile: tlscert }),
      ...(tlskey && { keyFile: tlskey }),
      ...(tlsfirst && { handshakeFirst: true }),
    },
  };
}

/** The seed in a file that may hold comments, as `nsc` writes them. */
function readSeed(path: string): Uint8Array {
  const seed = /^\s*(S[A-Z0-9]{50,})\s*$/m.exec(new TextDecoder().decode(readFile(path, 'nkey')))?.[1];
  if (!seed) throw new NatspocError('config', `--nkey: ${path} holds no NKEY seed.`);
  return new TextEncoder().encode(seed);
}

function readCreds(path: string): Uint8Array {
  const creds = readFile(path, 'creds');
  if (!/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(new TextDecoder().decode(creds))) {
    throw new NatspocError('config', `--creds: ${path} holds no credentials (a user JWT and its NKEY seed).`);
  }
  return creds;
}

/** Who we are: by file, by token, by user and password, or as a URL says. */
function authOptions(config: Config): Partial<ConnectionOptions> {
  const { creds, nkey, token } = config;
  if (creds) return { authenticator: credsAuthenticator(readCreds(creds)) };
  if (nkey) return { authenticator: nkeyAuthenticator(readSeed(nkey)) };
  if (token) return { token };
  const inUrl = config.server.map(credentialsOf).find((found) => found !== undefined);
  const { user, password } = config.user ? config : (inUrl ?? { user: undefined, password: undefined });
  if (!user) return {};
  // As in the nats CLI: a user without a password is a token.
  return password === undefined ? { token: user } : { user, pass: password };
}

/**
 * How to connect, as the configuration says.
 *
 * @throws NatspocError `config` for a file that cannot be read or does not hold what it should.
 */
export function connectOptions(config: Config, name: string): ConnectionOptions {
  return {
    // The client does not know of users in URLs.
    servers: config.server.map((url) => url.replace(/^((?:\w+:\/\/)?)[^@/]*@/, '$1')),
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
}
