import { NatspocError } from '../lib/errors.js';
import { GroupFollower, type GroupSource } from './follower.js';

/**
 * Runs `use` with a follower that has read the group, and stops the follower afterwards.
 *
 * @param signal ends the wait for the group early, for example because the connection was closed.
 * @throws NatspocError `unreachable` if the group cannot be read in time, or if `signal` aborts the wait. Errors of `use` are thrown as
 *   well.
 */
export async function withFollower<T>(
  source: GroupSource,
  of: { group: string; bucket: string; timeoutMs: number },
  use: (follower: GroupFollower) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const follower = new GroupFollower(source, of.group);
  try {
    if (!(await follower.until(() => true, of.timeoutMs, signal))) {
      const message = `Could not read group ${of.group} in bucket ${of.bucket}: the server did not answer in time.`;
      throw new NatspocError('unreachable', message);
    }
    return await use(follower);
  } finally {
    follower.stop();
  }
}
