import type { HealthOptions } from '../health/server.js';
import type { MemberEngine } from './engine/engine.js';
import type { JoinOptions } from './join.js';

/** How a member is started: over a connection, or by the function `start`. For example, `start` can use a model of the server. */
export type JoiningAt =
  | { connection: JoinOptions['connection']; start?: never }
  | { connection?: never; start: (options: Omit<JoinOptions, 'connection'>) => Promise<MemberEngine> };

/** Options of a member, in addition to those of {@link JoinOptions}. */
export type GroupMemberOptions = MemberOptions & JoiningAt;

interface MemberOptions
  extends Omit<JoinOptions, 'connection' | 'name' | 'events' | 'stats' | 'onUncovered'> {
  /**
   * `rejections`: an unhandled rejection in a handler counts as the handler's failure, and does not end the process. `process`: for a
   * process that runs only this handler. Uncaught exceptions count as the handler's failures as well. If an exception belongs to no running
   * message, the member leaves with that error.
   */
  guard?: 'rejections' | 'process' | undefined;
  /** Serve health checks and metrics over HTTP. */
  health?: HealthOptions | undefined;
  /** The member leaves when the signal aborts. */
  signal?: AbortSignal | undefined;
  /** Called last, after the member has left for any reason. */
  onEnd?: (() => Promise<void>) | undefined;
}
