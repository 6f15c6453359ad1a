import { BaseCommand } from '../cli/base-command.js';
import { serverEnvironment } from '../cli/dotenv.js';
import { Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import { NatspocError } from '../core/lib/errors.js';
import {
  defaultStoreDir,
  ensureServerBinary,
  type RunningServer,
  type ServerExit,
  startServer,
} from '../local/server/index.js';

/** The default port of NATS clients. */
const DEFAULT_PORT = 4222;
const MAX_PORT = 65_535;

/** Reads a port, or 0 for any free port; throws NatspocError `usage` for other texts. */
function portFrom(flag: string, text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= MAX_PORT) return port;
  throw new NatspocError(
    'usage',
    `--${flag}: ${JSON.stringify(text)} is not a port from 1 to ${MAX_PORT}, or 0 for a free one.`,
  );
}

function endOf(exit: ServerExit): string {
  const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
  return exit.reason === null ? how : `${how}: ${exit.reason}`;
}

/** The text for the user at the start. */
function introduction(server: RunningServer, ephemeral: boolean): string {
  const flag = server.port === DEFAULT_PORT ? '' : ` --server ${server.url}`;
  const monitoring = server.monitorUrl === null ? '' : `Monitoring: ${server.monitorUrl}\n`;
  const streams = ephemeral ? 'removed when the server stops' : `kept in ${server.storeDir}`;
  return `nats-server ${server.version} with JetStream is ready: ${server.url}
${monitoring}Streams are ${streams}. Ctrl-C stops the server.

Next, each in its own terminal:
  natspoc consume${flag}
  natspoc publish --rate 100${flag}
  natspoc top${flag}
`;
}

/** `natspoc server`: a local JetStream server in the foreground. */
export default class Server extends BaseCommand {
  static override summary = 'Run a local NATS server with JetStream, for development.';
  static override description =
    prose(`Runs the nats-server named by NATS_SERVER_BIN, or the first one found in PATH, the system's folders and the
cache. If there is none, the command downloads the official release (or the package of Debian or Ubuntu) into the user's
cache folder; it installs nothing. The server listens on 127.0.0.1 only and stops when this command stops.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'A temporary server on a free port:',
      command: '<%= config.bin %> <%= command.id %> --ephemeral --port 0',
    },
    { description: 'For scripts:', command: '<%= config.bin %> <%= command.id %> --port 0 --json' },
  ];
  static override flags = {
    port: Flags.string({
      description: 'port for clients; 0 for any free port',
      default: String(DEFAULT_PORT),
      helpValue: 'PORT',
    }),
    'store-dir': Flags.string({
      description: "folder for the streams [default: in the user's data folder]",
      helpValue: 'FOLDER',
    }),
    ephemeral: Flags.boolean({
      description: 'store the streams in a temporary folder and remove it at the end',
    }),
    'monitor-port': Flags.string({
      description: 'serve HTTP monitoring on this port; 0 for any free port',
      helpValue: 'PORT',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Server);
    const storeDir = flags['store-dir'];
    if (flags.ephemeral && storeDir !== undefined) {
      throw new NatspocError(
        'usage',
        '--ephemeral and --store-dir exclude each other: use only one of them.',
      );
    }
    const port = portFrom('port', flags.port);
    const monitorText = flags['monitor-port'];
    const monitorPort = monitorText === undefined ? undefined : portFrom('monitor-port', monitorText);
    const stop = this.stopSignal();
    // Until the server runs, a signal ends this process at once. Its `exit` listeners then clean up.
    const exitAtOnce = () => process.exit(stop.reason === 'SIGINT' ? 130 : 143);
    stop.addEventListener('abort', exitAtOnce);
    const env = serverEnvironment((line) => this.note(line));
    const server = await startServer({
      binary: await ensureServerBinary({ env, onProgress: (line) => this.note(line) }),
      port,
      ...(monitorPort === undefined ? {} : { monitorPort }),
      ...(flags.ephemeral ? {} : { storeDir: storeDir ?? defaultStoreDir({ env }) }),
    });
    stop.removeEventListener('abort', exitAtOnce);
    if (flags.json) {
      const { url, pid, version, monitorUrl } = server;
      this.writeJson({ url, port: server.port, pid, version, storeDir: server.storeDir, monitorUrl });
    } else {
      this.writeLines(introduction(server, flags.ephemeral).trimEnd().split('\n'));
    }
    await this.#untilStopped(server, stop);
  }

  async #untilStopped(server: RunningServer, stop: AbortSignal): Promise<void> {
    const stopped = new Promise<null>((resolve) => {
      if (stop.aborted) resolve(null);
      stop.addEventListener('abort', () => resolve(null));
    });
    const exit = await Promise.race([server.exited, stopped]);
    if (exit !== null) throw new NatspocError('failed', `The server exited unexpectedly (${endOf(exit)}).`);
    this.note('Stopping the server.');
    await server.stop();
  }
}
