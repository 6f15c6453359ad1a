import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { NatspocError } from '../../core/lib/errors.js';
import { cacheDir, type Place, programName } from './paths.js';

/** Folders that are often missing from PATH. For example, Debian installs `nats-server` in /usr/sbin. */
const SYSTEM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
] as const;

/** Options for finding a server. */
export interface FindOptions extends Place {
  /** Folders that are searched after PATH. Default: the system's folders; none on Windows. */
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

/** Orders versions, newest first: `2.10.27` before `2.9.10`. */
function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

/** The cache folder with one subfolder for each fetched version. */
export function serversDir(place: Place): string {
  return path.join(cacheDir(place), 'servers');
}

function cachedFolders(place: Place): string[] {
  const folder = serversDir(place);
  try {
    // A name with a leading dot is an incomplete fetch.
    const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
    return names.sort(newestFirst).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/**
 * The path of a `nats-server` on this machine; null if there is none. The search order is NATS_SERVER_BIN, PATH, the system's folders, and
 * the cache (newest version first).
 *
 * @throws NatspocError `config` if NATS_SERVER_BIN is not an executable file.
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
