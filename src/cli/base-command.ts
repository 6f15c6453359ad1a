import type { FlagInput } from '@oclif/core/interfaces';
import { type Config, loadConfig } from '../core/config/config.js';
import { SETTINGS, type SettingName } from '../core/config/settings.js';
import { type ConfigSources, contextName, secretFlags } from '../core/config/sources.js';
import { escapeControl, toJson } from '../core/lib/text.js';
import { type Concern, type StreamUse, warningsOf } from '../core/nats/client/concern.js';
import { connectNats, type NatsConnection } from '../core/nats/client/connection.js';
import { completeHints, type Selection, selectionOf } from '../text/complete-hints.js';
import { readContext, selectedContext } from './context.js';
import { readDotenv } from './dotenv.js';
import { stopSignal } from './ending.js';
import { type LogFormat, logLine, type Note } from './log-line.js';
import { Command, Flags } from './oclif.js';
import { exitWithError, type FailureOptions } from './report-error.js';

/** The settings of every command that talks to NATS. If the `nats` CLI has the same flag, it has the same name there. */
const CONNECTION = [
  'server',
  'user',
  'password',
  'token',
  'creds',
  'nkey',
  'tlscert',
  'tlskey',
  'tlsca',
  'tlsfirst',
  'timeoutMs',
  'authRetryMs',
  'context',
  'jsDomain',
  'inboxPrefix',
] as const satisfies readonly SettingName[];

/** The settings of every command that uses a stream and a group. */
const COMMON = [
  'stream',
  'prefix',
  'partitions',
  'group',
  'bucket',
  'replicas',
] as const satisfies readonly SettingName[];

function flagOf(key: SettingName, helpGroup: string) {
  const setting: (typeof SETTINGS)[SettingName] & { toggle?: boolean; fallback?: string; char?: string } =
    SETTINGS[key];
  const notes = [setting.fallback && `default ${setting.fallback}`, `env ${setting.env}`]
    .filter(Boolean)
    .join(', ');
  const shared = { description: `${setting.help} [${notes}]`, helpGroup };
  const char = setting.char as 's' | undefined;
  return setting.toggle
    ? Flags.boolean({ ...shared, allowNo: true })
    : Flags.string({ ...shared, ...(char ? { char } : {}), helpValue: setting.env });
}

/**
 * oclif flags for the named settings. The flags have no defaults, because {@link loadConfig} needs to know which flags were given.
 * {@link loadConfig} sets the defaults.
 */
export function settingFlags(keys: readonly SettingName[], helpGroup?: string): FlagInput {
  return Object.fromEntries(keys.map((key) => [SETTINGS[key].flag, flagOf(key, helpGroup ?? '')]));
}

/** Flags of every command that connects. A command spreads these flags into its `static flags`. */
export const connectionFlags = {
  ...settingFlags(COMMON, 'STREAM AND GROUP'),
  ...settingFlags(CONNECTION, 'CONNECTION'),
};

/** The common part of all commands: configuration, connection, signals, and errors that become exit codes. */
export abstract class BaseCommand extends Command {
  // oclif's default usage line lists every flag.
  static override usage: string | string[] = '<%= command.id %> [FLAGS]';

  static override baseFlags = {
    json: Flags.boolean({ description: 'print JSON, and nothing else, on stdout', helpGroup: 'GLOBAL' }),
    utc: Flags.boolean({ description: 'show times in UTC instead of local time', helpGroup: 'GLOBAL' }),
  };

  #logFormat: LogFormat = 'text';
  #selection: Selection = {};

  /** Flags of this command that have the name of a setting but a different meaning. */
  protected readonly ownFlags: readonly string[] = [];

  protected override async init(): Promise<void> {
    await super.init();
    const end = this.argv.indexOf('--');
    // All times for people are in the time zone of the process.
    if (this.argv.slice(0, end < 0 ? undefined : end).includes('--utc')) process.env.TZ = 'UTC';
  }

  /** The configuration from the flags, the environment, `.env` of the working folder, and a context of the `nats` CLI. */
  protected loadSettings(flags: Readonly<Record<string, unknown>>): Config {
    const given: Partial<Record<SettingName, string | boolean>> = {};
    for (const key of Object.keys(SETTINGS) as SettingName[]) {
      const { flag } = SETTINGS[key];
      const value = this.ownFlags.includes(flag) ? undefined : flags[flag];
      if (typeof value === 'string' || typeof value === 'boolean') given[key] = value;
    }
    this.#selection = selectionOf(given);
    const own = { flags: given, env: process.env, dotenv: readDotenv() };
    const name = contextName(own, () => selectedContext(process.env));
    const sources = { ...own, context: name === undefined ? undefined : readContext(name, process.env) };
    const config = loadConfig(sources);
    this.#logFormat = config.logFormat;
    this.#hideSecrets(sources);
    return config;
  }

  /** Hides secrets that were given as flags from the list of processes, and recommends environment variables. */
  #hideSecrets(sources: ConfigSources): void {
    const secrets = secretFlags(sources);
    if (secrets.length === 0) return;
    process.title = `natspoc ${this.id?.replaceAll(':', ' ') ?? ''}`;
    for (const { flag, env } of secrets) {
      this.note(`Warning: --${flag} shows a secret to every user of this machine; set ${env} instead.`);
    }
  }

  /** Connects; the caller closes the connection. The server lists the connection as "natspoc" and `role`. */
  protected connect(config: Config, role: string): Promise<NatsConnection> {
    return connectNats(config, `natspoc ${role}`);
  }

  /** Aborts at the first SIGINT or SIGTERM, or when the terminal closes. A second process signal ends the process at once. */
  protected stopSignal(): AbortSignal {
    return stopSignal();
  }

  /** Columns of the terminal; undefined if stdout is not a terminal. */
  protected get columns(): number | undefined {
    return process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
  }

  /** Writes one line for people, or for a log, to stderr. */
  protected readonly note: Note = (line, fields) => {
    process.stderr.write(logLine(this.#logFormat, completeHints(line, this.#selection), fields));
  };

  /** Writes lines for people to stdout. `style` decorates each escaped line, for example with color. */
  protected writeLines(lines: readonly string[], style = (line: string): string => line): void {
    const complete = (line: string): string => completeHints(escapeControl(line), this.#selection);
    process.stdout.write(lines.map((line) => `${style(complete(line))}\n`).join(''));
  }

  /** Warns on stderr about settings of the stream that may lose messages. */
  protected warnOf(concerns: readonly Concern[], uses: readonly StreamUse[]): void {
    for (const { message } of warningsOf(concerns, uses)) this.note(`Warning: ${escapeControl(message)}`);
  }

  /** Writes one JSON document, or one line of NDJSON, to stdout. */
  protected writeJson(value: unknown): void {
    process.stdout.write(`${toJson(value)}\n`);
  }

  /** Ends the process with an uncaught error, as {@link catch} does. */
  protected readonly crash = (error: unknown): never => exitWithError(error, this.failureOptions());

  protected override async catch(error: Error): Promise<never> {
    return this.crash(error);
  }

  /** How this command reports errors. */
  protected failureOptions(): FailureOptions {
    return {
      json: this.argv.includes('--json'),
      ...(this.#logFormat === 'json' && { log: (text: string) => logLine('json', `error: ${text}`) }),
      command: this.id?.replaceAll(':', ' ') ?? '',
      selection: this.#selection,
      names: Object.keys(this.ctor.flags).map((flag) => `--${flag}`),
    };
  }
}
