import { ErrorCode as ClientCode, connect, type NatsConnection, NatsError } from 'nats';
import type { Config } from '../../config/config.js';
import { IDENTITY } from '../../config/connection.js';
import type { SettingName } from '../../config/settings.js';
import { type ErrorCode, messageOf, NatspocError } from '../../lib/errors.js';
import { credentialsOf, redactUrl } from '../../lib/redact-url.js';
import { connectOptions } from './connect-options.js';
import { correctClient } from './corrections.js';
import { closeWhenRefused } from './refused-credentials.js';
import { reopenWhenSilent } from './silent-connection.js';
import { IDENTITY_CODES } from './watch-connection.js';

export type { NatsConnection } from 'nats';

/** True for a connection of the supported client. A connection of the client's successor library has no `jetstreamManager`. */
export function isConnection(value: unknown): value is NatsConnection {
  if (typeof value !== 'object' || value === null) return false;
  const { jetstreamManager, subscribe, status }: { [K in keyof NatsConnection]?: unknown } = value;
  return [jetstreamManager, subscribe, status].every((each) => typeof each === 'function');
}

/** The names of settings, as the user would set them. */
const optionsOf = (config: Config, names: readonly SettingName[]): string[] => [
  ...new Set(names.map(config.option)),
];

const certificateAdvice = (config: Config): string =>
  `a client certificate: give one with ${optionsOf(config, ['tlscert', 'tlskey']).join(' and ')}`;

/** Advice for messages of OpenSSL. */
const TLS_ADVICE: readonly [RegExp, (config: Config) => string][] = [
  [/certificate has expired|certificate expired/, () => 'a certificate has expired'],
  [
    /self.signed|unable to (get|verify)|unknown ca|issuer/,
    ({ option }) => `its certificate is not trusted; set its certificate authority with ${option('tlsca')}`,
  ],
  [/altnames|hostname|does not match/, () => 'its certificate is for another host'],
  [
    /certificate required|bad certificate|handshake failure/,
    (config) => `the server requires ${certificateAdvice(config)}`,
  ],
  [/key values mismatch/, ({ place }) => `${place('tlskey')} does not belong to ${place('tlscert')}`],
  [
    /wrong version number|packet length/,
    ({ place }) => `it does not speak TLS, or only after a greeting without TLS: check ${place('tlsfirst')}`,
  ],
];

/** The message of the original error. */
function reasonOf(error: unknown): string {
  const chained = error instanceof NatsError ? error.chainedError : undefined;
  const cause = chained ?? error;
  // Some errors of Node.js name the reason only in their code.
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `${messageOf(cause)} ${code}`.toLowerCase().replaceAll('_', ' ');
}

function unreachableReason(code: string, why: string, config: Config): string {
  if (/econnrefused/.test(why)) return 'connection refused';
  if (/enotfound|eai again/.test(why)) return 'no such host';
  const { server, tlsca, tlscert, tlsfirst } = config;
  const tls = tlsca !== undefined || tlsfirst || server.some((url) => url.startsWith('tls://'));
  // With TLS 1.3, a missing client certificate makes the server close the connection without a reason. The client then sees a reset, or
  // keeps waiting.
  const mayWant = tls && !tlscert ? `; it may want ${certificateAdvice(config)}` : '';
  if (code === ClientCode.Timeout) return `no answer in time${mayWant}`;
  if (/econnreset/.test(why)) return `the connection was reset${mayWant}`;
  // The client's code for a connection that was closed before the server's INFO.
  if (code === ClientCode.ConnectionRefused) {
    const advice = `; it may expect TLS first: set ${config.option('tlsfirst')}`;
    return `it closed the connection without a reply${tls && !tlsfirst ? advice : ''}`;
  }
  return why.trim() || 'the connection was closed';
}

/** Which settings to check if the server refuses the credentials. */
function identityAdvice(config: Config): string {
  const given = IDENTITY.filter((name) => config.given.has(name)).map(config.place);
  if (given.length > 0) return `Check ${given.join(' and ')}.`;
  if (config.server.some(credentialsOf)) return `Check ${config.place('server')}.`;
  const options = optionsOf(config, [...IDENTITY, 'context']);
  return `Give credentials with ${options.slice(0, -1).join(', ')} or ${options.at(-1)}.`;
}

function connectError(error: unknown, config: Config): NatspocError {
  const urls = config.server.map(redactUrl).join(', ');
  const code = error instanceof NatsError ? error.code : '';
  const why = reasonOf(error);
  const because = (kind: ErrorCode, message: string) => new NatspocError(kind, message, { cause: error });
  if (IDENTITY_CODES.test(code)) {
    const expired = /EXPIRED/.test(code) ? 'They have expired. ' : '';
    const message = `${urls} refused the credentials. ${expired}${identityAdvice(config)}`;
    return because('authentication-failed', message);
  }
  if (code === ClientCode.ServerOptionNotAvailable)
    return because('unreachable', `TLS with ${urls} failed: the server does not offer TLS.`);
  const advice = TLS_ADVICE.find(([pattern]) => pattern.test(why))?.[1](config);
  if (advice || /\b(certificate|tls|ssl|pem|secure)\b/.test(why))
    return because('unreachable', `TLS with ${urls} failed: ${advice ?? why.trim()}.`);
  const reason = unreachableReason(code, why, config);
  const set = config.given.has('server') ? 'change' : 'set';
  return because(
    'unreachable',
    `Cannot reach NATS at ${urls} (${reason}). Start a local server with "natspoc server", or ${set} ${config.place('server')}.`,
  );
}

/**
 * Opens a connection that later reconnects without limit. The caller decides how long to wait for a missing server. The first attempt ends
 * after the configured timeout, or at once if the server refuses the credentials. After later refusals the client retries; see
 * `authRetryMs`.
 *
 * @throws NatspocError `unreachable`, `authentication-failed` or `config`.
 */
export async function connectNats(config: Config, name: string): Promise<NatsConnection> {
  correctClient();
  const options = connectOptions(config, name);
  try {
    const connection = await connect(options);
    closeWhenRefused(connection, config.authRetryMs);
    reopenWhenSilent(connection);
    return connection;
  } catch (error) {
    throw connectError(error, config);
  }
}
