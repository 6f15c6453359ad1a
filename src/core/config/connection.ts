import { redactUrls } from '../lib/redact-url.js';
import { duration, NAME_ALLOWED, name, SHORT_ENOUGH, servers, subject, text, toggle } from './parse.js';
import { define } from './setting.js';

const secret = (flag: string, env: string) =>
  define({ flag, env, parse: text, allowed: 'text', help: flag, secret: true });
const file = (flag: string, env: string, help: string) =>
  define({ flag, env, parse: text, allowed: 'a file', help });

/** The settings of the connection and the credentials, with the same names as in the nats CLI. */
export const CONNECTION = {
  server: define({
    flag: 'server',
    char: 's',
    env: 'NATS_URL',
    fallback: 'nats://127.0.0.1:4222',
    parse: servers,
    allowed:
      'nats://HOST:PORT with a port from 1 to 65535, several separated by commas (in a password / is %2F, @ is %40, a comma %2C)',
    redact: redactUrls,
    help: 'NATS server URLs',
  }),
  user: define({
    flag: 'user',
    env: 'NATS_USER',
    parse: text,
    allowed: 'a name',
    help: 'user name, or a token',
  }),
  password: secret('password', 'NATS_PASSWORD'),
  token: secret('token', 'NATS_TOKEN'),
  creds: file('creds', 'NATS_CREDS', 'credentials file'),
  nkey: file('nkey', 'NATS_NKEY', 'NKEY seed file'),
  tlscert: file('tlscert', 'NATS_CERT', 'TLS client certificate'),
  tlskey: file('tlskey', 'NATS_KEY', 'TLS client key'),
  tlsca: file('tlsca', 'NATS_CA', 'TLS certificate authority'),
  tlsfirst: define({
    flag: 'tlsfirst',
    env: 'NATS_TLSFIRST',
    fallback: 'false',
    parse: toggle,
    allowed: 'true or false',
    help: 'start the TLS handshake before the server sends its INFO',
    toggle: true,
  }),
  timeoutMs: define({
    flag: 'timeout',
    env: 'NATS_TIMEOUT',
    fallback: '5s',
    ...duration('50ms', '10m', '5s'),
    help: 'how long to wait for an answer from the server',
  }),
  authRetryMs: define({
    flag: 'auth-retry',
    env: 'NATS_AUTH_RETRY',
    fallback: '30s',
    ...duration('0s', '1d', '30s'),
    help: 'how long to retry when the server refuses the credentials of an established connection',
  }),
  context: define({
    flag: 'context',
    env: 'NATS_CONTEXT',
    parse: text,
    allowed: 'a name',
    help: 'context of the nats CLI; excludes connection settings of lower precedence',
  }),
  jsDomain: define({
    flag: 'js-domain',
    env: 'NATS_JS_DOMAIN',
    parse: name,
    allowed: NAME_ALLOWED,
    help: 'JetStream domain',
  }),
  inboxPrefix: define({
    flag: 'inbox-prefix',
    env: 'NATS_INBOX_PREFIX',
    parse: subject,
    allowed: `a subject without wildcards, ${SHORT_ENOUGH}`,
    help: 'prefix of reply subjects',
  }),
} as const;

type ConnectionSetting = keyof typeof CONNECTION;

/** The settings that identify the user. */
export const IDENTITY: readonly ConnectionSetting[] = ['user', 'password', 'token', 'creds', 'nkey'];

/** If a source names a context of the nats CLI, weaker sources no longer provide these settings. Only the context still does. */
export const CONTEXT_SETTINGS: readonly string[] = [
  ...IDENTITY,
  'server',
  'tlscert',
  'tlskey',
  'tlsca',
  'tlsfirst',
  'jsDomain',
  'inboxPrefix',
] satisfies ConnectionSetting[];
