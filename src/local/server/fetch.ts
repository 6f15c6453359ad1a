import { accessSync, constants, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { debianSource } from './debian.js';
import { serversDir } from './find.js';
import { makeFolder } from './folder.js';
import { type Place, programName } from './paths.js';
import { releaseSource } from './release.js';
import type { ServerSource } from './source.js';
import { runTool } from './tool.js';

/** Options of a fetch. */
export interface FetchOptions extends Place {
  /** The sources, in order. Default: the official release, then the distribution's package. */
  sources?: readonly ServerSource[];
  /** Called with one line for each step that takes time. */
  onProgress?: (line: string) => void;
}

/** Prefix of a work folder. Folders of complete servers have no dot. */
const WORK_PREFIX = '.fetch-';
/** Maximum age of a work folder in use, in milliseconds. A killed process left any older folder. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;
const VERSION_TIMEOUT_MS = 10_000;

/** The version that a server program reports. This run also shows that the program works on this machine. */
async function versionOf(program: string): Promise<string> {
  const output = await runTool(program, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS });
  const version = /nats-server: v?(\d+\.\d+\.\d+\S*)/.exec(output)?.[1];
  if (version === undefined) throw new Error(`${program} is not a nats-server: ${output.trim()}`);
  return version;
}

/** Moves a program to its final place atomically. If another process was faster, its program is used. */
async function publish(program: string, work: string, servers: string, name: string): Promise<string> {
  const folder = path.join(servers, await versionOf(program));
  const staged = path.join(work, 'publish');
  await mkdir(staged);
  await rename(program, path.join(staged, name));
  const published = path.join(folder, name);
  try {
    await rename(staged, folder);
  } catch (error) {
    try {
      accessSync(published, constants.X_OK);
    } catch {
      throw error;
    }
  }
  return published;
}

async function removeAbandoned(servers: string): Promise<void> {
  for (const name of await readdir(servers)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const folder = path.join(servers, name);
    const age = await stat(folder).then(
      (status) => Date.now() - status.mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}

async function fetchFrom(source: ServerSource, servers: string, name: string): Promise<string> {
  const work = await mkdtemp(path.join(servers, WORK_PREFIX));
  const removeAtExit = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  try {
    return await publish(await source.get(work), work, servers, name);
  } finally {
    process.off('exit', removeAtExit);
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The error if no server could be fetched: the reasons, and ways to get one. */
function missing(failures: readonly string[]): NatspocError {
  const tried = failures.length === 0 ? 'none can be fetched for this platform' : failures.join('; ');
  return new NatspocError(
    'server-missing',
    `There is no nats-server on this machine, and none could be fetched: ${tried}.
Get one with \`apt install nats-server\`, \`brew install nats-server\` or from https://nats.io/download, start one ` +
      'with `docker compose up -d`, or set NATS_SERVER_BIN to the path of a nats-server.',
  );
}

/**
 * Fetches a `nats-server` into the user's cache folder and returns its path. Incomplete files are removed. Several processes may fetch at
 * the same time.
 *
 * @throws NatspocError `server-missing` if no source works, with the reason for each source.
 */
export async function fetchServer(options: FetchOptions): Promise<string> {
  const servers = serversDir(options);
  const failures: string[] = [];
  try {
    makeFolder(servers);
    await removeAbandoned(servers);
  } catch (error) {
    throw missing([`the cache folder cannot be written (${messageOf(error)})`]);
  }
  for (const source of options.sources ?? [releaseSource(options), debianSource()]) {
    if (!source.applies()) continue;
    options.onProgress?.(source.announcement);
    try {
      const program = await fetchFrom(source, servers, programName(options.platform));
      options.onProgress?.(`Fetched ${program}.`);
      return program;
    } catch (error) {
      const failure = `${source.name}: ${messageOf(error)}`;
      failures.push(failure);
      options.onProgress?.(`Failed: ${failure}.`);
    }
  }
  throw missing(failures);
}
