import { hostname, userInfo } from 'node:os';

/** Who gives orders from here, as records show it: `user@host`. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without an entry, as in some containers.
    return hostname();
  }
}
