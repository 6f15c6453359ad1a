import { getSystemErrorMap } from 'node:util';
import { messageOf } from './errors.js';

/**
 * The reason for a failed system call, such as `too many open files (EMFILE)`. For any other error, returns its
 * message.
 */
export function systemReason(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  const [code, words] = (typeof errno === 'number' && getSystemErrorMap().get(errno)) || [];
  return code && words ? `${words} (${code})` : messageOf(error);
}
