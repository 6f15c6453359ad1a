import type { HealthOptions } from '../health/server.js';
import type { MemberEngine } from './engine/engine.js';
import type { JoinOptions } from './join.js';

/**
 * The way a member is started: over a connection, or by the function `start`, for example with a model instead of a
 * server.
 */
export type JoiningAt =
  | { connection: JoinOptions['connection']; start?: never }
  | { connection?: never; start: (options: Omit<JoinOptions, 'connection'>) => Promise<MemberEngine> };

/** Options of a member, in addition to those of {@link JoinOptions}. */
export type GroupMemberOptions = MemberOptions & JoiningAt;

interface MemberOptions
  extends Omit<JoinOptions, 'connection' | 'name' | 'events' | 'stats' | 'onUncovered'> {
  /**
   * `rejections`: unhandled rejections of a handler's promises count as failures of the handler, and do not end the
   * process. `process`: the process runs only this handler. Uncaught exceptions also count as failures of the handler.
   * An exception that belongs to no running message makes the member leave with that error.
   */
  guard?: 'rejections' | 'process' | undefined;
  /** Serve health checks and metrics over HTTP. */
  health?: HealthOptions | undefined;
  /** The member leaves when the signal aborts. */
  signal?: AbortSignal | undefined;
  /** Called last, after the member has left for any reason. */
  onEnd?: (() => Promise<void>) | undefined;
}
