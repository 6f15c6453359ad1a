import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { NatspocError } from '../../core/lib/errors.js';
import { cacheDir, type Place, programName } from './paths.js';

/**
 * Folders that hold servers but are often missing from a normal user's PATH: Debian installs `nats-server`
 * in /usr/sbin, Homebrew below /opt.
 */
const SYSTEM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
] as const;

/** Where to look for the server. */
export interface FindOptions extends Place {
  /** Folders to look in after PATH. Default: the system's, see the code; none on Windows. */
  systemFolders?: readonly string[];
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** `2.10.27` before `2.9.10`: newest first, by number. */
function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

/** The folder below the cache with one subfolder for each server version that was fetched. */
export function serversDir(place: Place): string {
  return path.join(cacheDir(place), 'servers');
}

function cachedFolders(place: Place): string[] {
  const folder = serversDir(place);
  try {
    // A name that starts with a dot is an unpacking in progress, or one that was cut off.
    const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
    return names.sort(newestFirst).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/**
 * The path of a `nats-server` on this machine, or null: the file that NATS_SERVER_BIN names, else the first
 * in PATH, the system's folders and the cache of fetched ones (newest version first).
 *
 * Throws NatspocError `config` when NATS_SERVER_BIN names something that cannot be run: falling back to
 * another server than the one asked for would hide the mistake.
 */
export function findServer(options: FindOptions): string | null {
  const platform = options.platform ?? process.platform;
  const asked = options.env.NATS_SERVER_BIN;
  if (asked !== undefined && asked !== '') {
    if (isExecutableFile(asked)) return path.resolve(asked);
    throw new NatspocError('config', `NATS_SERVER_BIN=${asked} is not an executable file.`);
  }
  const inPath = (options.env.PATH ?? '').split(platform === 'win32' ? ';' : ':').filter(path.isAbsolute);
  const system = options.systemFolders ?? (platform === 'win32' ? [] : SYSTEM_FOLDERS);
  const folders = [...inPath, ...system, ...cachedFolders(options)];
  const files = folders.map((folder) => path.join(folder, programName(platform)));
  return files.find(isExecutableFile) ?? null;
}
