import { hostname, userInfo } from 'node:os';

/** The operator's name in records: `user@host`. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // The user id has no name, as in some containers.
    return hostname();
  }
}
