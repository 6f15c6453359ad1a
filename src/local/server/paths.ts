import { homedir } from 'node:os';
import path from 'node:path';

/** Environment variables by name, as in `process.env`. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The inputs that decide where files belong. Tests set them to cover every platform. */
export interface Place {
  env: Environment;
  /** Default: this process's platform. */
  platform?: NodeJS.Platform;
  /** The user's home folder. Default: as the operating system reports it. */
  home?: string;
}

interface Bases {
  /** The name of the platform's environment variable. Its value is ignored unless it is an absolute path. */
  variable: string | undefined;
  fallback: readonly string[];
  folder: readonly string[];
}

function resolve(place: Place, bases: Bases): string {
  const base = bases.variable === undefined ? undefined : place.env[bases.variable];
  const home = place.home ?? homedir();
  // The XDG specification says that relative paths must be ignored.
  const root = base !== undefined && path.isAbsolute(base) ? base : path.join(home, ...bases.fallback);
  return path.join(root, ...bases.folder);
}

/**
 * The cache folder: `$XDG_CACHE_HOME/natspoc` or `~/.cache/natspoc`, on macOS
 * `~/Library/Caches/natspoc`, on Windows `%LOCALAPPDATA%\natspoc\cache`. The folder need not exist.
 */
export function cacheDir(place: Place): string {
  switch (place.platform ?? process.platform) {
    case 'darwin':
      return resolve(place, { variable: undefined, fallback: ['Library', 'Caches'], folder: ['natspoc'] });
    case 'win32':
      return resolve(place, {
        variable: 'LOCALAPPDATA',
        fallback: ['AppData', 'Local'],
        folder: ['natspoc', 'cache'],
      });
    default:
      return resolve(place, { variable: 'XDG_CACHE_HOME', fallback: ['.cache'], folder: ['natspoc'] });
  }
}

/**
 * The folder in which `natspoc server` keeps its streams: `$XDG_DATA_HOME/natspoc/server` or
 * `~/.local/share/natspoc/server`, on macOS `~/Library/Application Support/natspoc/server`, on Windows
 * `%LOCALAPPDATA%\natspoc\server`. The folder need not exist.
 */
export function defaultStoreDir(place: Place): string {
  const folder = ['natspoc', 'server'];
  switch (place.platform ?? process.platform) {
    case 'darwin':
      return resolve(place, { variable: undefined, fallback: ['Library', 'Application Support'], folder });
    case 'win32':
      return resolve(place, { variable: 'LOCALAPPDATA', fallback: ['AppData', 'Local'], folder });
    default:
      return resolve(place, { variable: 'XDG_DATA_HOME', fallback: ['.local', 'share'], folder });
  }
}

/** The name of the server's program file on a platform. */
export function programName(platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? 'nats-server.exe' : 'nats-server';
}
