import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { SettingName } from '../core/config/settings.js';
import { NatspocError } from '../core/lib/errors.js';
import { asObject, type Fields } from '../core/lib/json.js';
import { readSmallFile, UnreadableFile } from '../core/lib/small-file.js';
import { systemReason } from '../core/lib/system-reason.js';

/** A context of the `nats` CLI, with its settings as raw text. */
export interface NatsContext {
  name: string;
  values: Partial<Record<SettingName, string>>;
}

/** Field names in a context file, and the settings that they set. */
const FIELDS: Record<string, SettingName> = {
  url: 'server',
  user: 'user',
  password: 'password',
  token: 'token',
  creds: 'creds',
  nkey: 'nkey',
  cert: 'tlscert',
  key: 'tlskey',
  ca: 'tlsca',
  tls_first: 'tlsfirst',
  jetstream_domain: 'jsDomain',
  inbox_prefix: 'inboxPrefix',
};
/**
 * Fields that natspoc does not support. A context with such a field is refused, because natspoc would connect in a different way than the
 * nats CLI.
 */
const UNSUPPORTED = ['nsc', 'user_jwt', 'user_seed', 'socks_proxy', 'jetstream_api_prefix'];
const FILES: ReadonlySet<SettingName> = new Set(['creds', 'nkey', 'tlscert', 'tlskey', 'tlsca']);

/** The folder in which the nats CLI keeps its contexts: `$XDG_CONFIG_HOME/nats`, or `~/.config/nats`. */
function contextFolder(env: Readonly<Record<string, string | undefined>>): string {
  return path.join(env.XDG_CONFIG_HOME || path.join(env.HOME || homedir(), '.config'), 'nats');
}

/** Maximum size of a context. */
const LIMIT_BYTES = 64 * 1_024;
const readText = (file: string): string => readSmallFile(file, { limitBytes: LIMIT_BYTES }).toString('utf8');

/**
 * The context that `nats context select` has chosen, or undefined.
 *
 * @throws NatspocError `config` if the choice cannot be read.
 */
export function selectedContext(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = path.join(contextFolder(env), 'context.txt');
  try {
    return readText(file).trim() || undefined;
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.isMissing) return undefined;
    throw new NatspocError('config', `The selected context: cannot read ${file}: ${systemReason(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Reads a context of the nats CLI by name.
 *
 * @throws NatspocError `config` if the context does not exist, cannot be read or is not supported.
 */
export function readContext(name: string, env: Readonly<Record<string, string | undefined>>): NatsContext {
  const folder = path.join(contextFolder(env), 'context');
  if (!/^[^/\\]+$/.test(name) || name.includes('..')) {
    throw new NatspocError('config', `--context: ${JSON.stringify(name)} is not the name of a context.`);
  }
  const file = path.join(folder, `${name}.json`);
  if (!existsSync(file)) {
    const known = knownContexts(folder);
    const there = known.length > 0 ? `the contexts are ${known.join(', ')}` : `${folder} has no contexts`;
    throw new NatspocError('config', `There is no context ${name}: ${there}.`);
  }
  return { name, values: decodeContext({ name, file, text: readFile(name, file) }, env) };
}

/**
 * The settings in the text of a context.
 *
 * @throws NatspocError `config` if the text is not a context, or uses an unsupported field.
 */
export function decodeContext(
  { name, file, text }: { name: string; file: string; text: string },
  env: Readonly<Record<string, string | undefined>>,
): NatsContext['values'] {
  const values: NatsContext['values'] = {};
  for (const [field, value] of Object.entries(parseObject(name, file, text))) {
    if (value === '' || value === null || value === false) continue;
    if (UNSUPPORTED.includes(field)) {
      throw new NatspocError(
        'config',
        `Context ${name} uses ${field}, which natspoc does not support; use --creds or other flags.`,
      );
    }
    const setting = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
    if (!setting || !(typeof value === 'string' || typeof value === 'boolean')) continue;
    values[setting] = FILES.has(setting) ? expandHome(String(value), env) : String(value);
  }
  return values;
}

function readFile(name: string, file: string): string {
  try {
    return readText(file);
  } catch (cause) {
    throw new NatspocError('config', `Context ${name}: cannot read ${file}: ${systemReason(cause)}.`, {
      cause,
    });
  }
}

function parseObject(name: string, file: string, text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, which may contain a password.
    throw new NatspocError('config', `Context ${name}: cannot read ${file}: it is not JSON.`);
  }
  const fields = asObject(value);
  if (fields) return fields;
  throw new NatspocError('config', `Context ${name}: ${file} does not contain a context.`);
}

function knownContexts(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  } catch {
    return [];
  }
}

/** Expands `~` and `$HOME` at the beginning of a path, like the nats CLI. */
function expandHome(file: string, env: Readonly<Record<string, string | undefined>>): string {
  return file.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, env.HOME || homedir());
}
