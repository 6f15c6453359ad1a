import { accessSync, constants, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { makeFolder } from './folder.js';
import { isRunning } from './process.js';

const LOCK_FILE = 'natspoc-server.lock';

/** A store folder that is reserved for one server. */
export interface StoreLock {
  /** Transfers the reservation from this process to the server's process. */
  handTo(pid: number): void;
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
    throw new NatspocError(
      'failed',
      `Cannot write to the store folder ${storeDir}: ${systemReason(error)}.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Creates a store folder if necessary and reserves it. Without this, two servers on one folder would destroy each other's streams. A file
 * in the folder contains the process id of the holder. The reservation is valid while that process runs. It protects only against servers
 * that natspoc starts.
 *
 * @throws NatspocError `failed` if the folder cannot be written, or is in use.
 */
export function holdStore(storeDir: string): StoreLock {
  prepare(storeDir);
  const file = path.join(storeDir, LOCK_FILE);
  if (!create(file)) {
    const holder = holderOf(file);
    if (holder !== null && isRunning(holder)) {
      throw new NatspocError(
        'failed',
        `The store folder ${storeDir} is in use by process ${holder}: stop that process, or choose another folder.`,
      );
    }
    rmSync(file, { force: true });
    if (!create(file)) {
      throw new NatspocError('failed', `Another server is starting with the store folder ${storeDir}.`);
    }
  }
  return {
    handTo: (pid) => writeFileSync(file, String(pid)),
    release: () => rmSync(file, { force: true }),
  };
}
