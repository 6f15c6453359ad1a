import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { parse } from 'dotenv';
import { NatspocError } from '../core/lib/errors.js';
import { readSmallFile, UnreadableFile } from '../core/lib/small-file.js';

const FILE = '.env';
const LIMIT_BYTES = 64 * 1_024;

/**
 * The variables in `.env` of the working folder; none if there is no such file, or if it is a folder.
 *
 * @throws NatspocError `config` if the file cannot be read: it is a pipe or a device, is too large, or is not readable for this user.
 */
export function readDotenv(): Record<string, string> {
  if (statSync(FILE, { throwIfNoEntry: false })?.isDirectory()) return {};
  try {
    return parse(readSmallFile(FILE, { limitBytes: LIMIT_BYTES }));
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.isMissing) return {};
    throw new NatspocError('config', `.env of this folder cannot be read: ${error.message}.`, {
      cause: error,
    });
  }
}

/**
 * The environment for finding a nats-server: that of this process. Only a missing NATS_SERVER_BIN is taken from `.env`.
 *
 * @param tell called with one line if `.env` names the program.
 * @throws NatspocError `config` if the path in `.env` is relative.
 */
export function serverEnvironment(tell: (line: string) => void): NodeJS.ProcessEnv {
  const { env } = process;
  const named = env.NATS_SERVER_BIN ? undefined : readDotenv().NATS_SERVER_BIN;
  if (!named) return env;
  if (!isAbsolute(named)) {
    const message = `NATS_SERVER_BIN in .env: ${JSON.stringify(named)} is not an absolute path.`;
    throw new NatspocError('config', message);
  }
  tell(`NATS_SERVER_BIN in .env: the server is ${named}`);
  return { ...env, NATS_SERVER_BIN: named };
}
