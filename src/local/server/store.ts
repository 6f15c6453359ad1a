import { accessSync, constants, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { makeFolder } from './folder.js';
import { isRunning } from './process.js';

const LOCK_FILE = 'natspoc-server.lock';

/** A store folder held for one server. */
export interface StoreLock {
  /** Says that the server's process, not this one, uses the folder from now on. */
  handTo(pid: number): void;
  /** Gives the folder back; harmless when repeated. */
  release(): void;
}

function holderOf(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function create(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function prepare(storeDir: string): void {
  try {
    makeFolder(storeDir);
    accessSync(storeDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new NatspocError('failed', `Cannot write to the store folder ${storeDir}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Creates a store folder if need be and holds it, because nats-server itself does not: two servers on one
 * folder destroy each other's streams. The holder is a process id in a file; one that no longer runs (it was
 * killed) holds nothing. Only servers that were started here take part.
 *
 * Throws NatspocError `failed` when the folder cannot be written, or is in use.
 */
export function holdStore(storeDir: string): StoreLock {
  prepare(storeDir);
  const file = path.join(storeDir, LOCK_FILE);
  if (!create(file)) {
    const holder = holderOf(file);
    if (holder !== null && isRunning(holder)) {
      throw new NatspocError(
        'failed',
        `The store folder ${storeDir} is in use by process ${holder}: stop that, or choose another folder.`,
      );
    }
    rmSync(file, { force: true });
    if (!create(file)) {
      throw new NatspocError('failed', `Another server is starting on the store folder ${storeDir}.`);
    }
  }
  return {
    handTo: (pid) => writeFileSync(file, String(pid)),
    release: () => rmSync(file, { force: true }),
  };
}
