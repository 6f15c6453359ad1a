import type { Config } from '../config/config.js';
import type { HealthOptions } from '../health/server.js';
import type { GroupMember } from './group-member.js';
import type { GroupMemberOptions } from './member-options.js';
import { type Handler, type InBatches, wrapHandler } from './partition/handler.js';
import { forKeyed } from './partition/keyless.js';
import type { Logger } from './partition/logger.js';
import { type GuardedHandler, guardStrays, REJECTIONS_ARE_ANONYMOUS } from './partition/strays.js';
import type { OwnStats } from './stats/own-stats.js';
import { tracedHandler } from './traced-handler.js';

/** The dependencies of {@link wrapForMember}. */
export interface WrapPorts {
  stats: OwnStats;
  logger: Logger;
  /** Called with an uncaught error of a handler. */
  stop: (error: unknown) => void;
}

/** A program's handler, wrapped by its member. */
export interface WrappedHandler {
  handler: Handler | InBatches;
  /** URL of the health checks and metrics; undefined if they are not served. */
  healthUrl: string | undefined;
  /** Ends the guard against stray errors, and the health checks. */
  stop(): Promise<void>;
}

/** Traces and times the handler of a member, and guards it against stray errors. Measures the handler if health checks are served. */
export async function wrapForMember(
  member: GroupMember,
  { config, guard, health, handler: program }: GroupMemberOptions,
  { stats, logger, stop }: WrapPorts,
): Promise<WrappedHandler> {
  const { group, stream, withoutKey } = config;
  // The health checks start first, because they fail if their port is in use.
  const served = health && (await serve(member, config, health));
  let handler = wrapHandler(tracedHandler(program, { group, stream }), (call) => stats.timed(call));
  let guarded: GuardedHandler | undefined;
  if (guard) {
    guarded = guardStrays(handler, guard === 'process' ? stop : undefined);
    handler = guarded.handler;
    if (REJECTIONS_ARE_ANONYMOUS) {
      const warning = 'guardRejections has no effect on Bun, which does not reveal the origin of a rejection';
      logger.warn({}, warning);
    }
  }
  if (served) handler = wrapHandler(handler, (call) => served.metrics.timed(call));
  return {
    handler: withoutKey === 'dead-letter' ? forKeyed(handler) : handler,
    healthUrl: served?.server.url,
    stop: async () => {
      guarded?.stop();
      await served?.server.close();
    },
  };
}

async function serve(member: GroupMember, { group, stream }: Config, health: HealthOptions) {
  // The modules are loaded only when needed, because most programs serve no metrics.
  const [{ Metrics }, { serveHealth }] = await Promise.all([
    import('../health/metrics.js'),
    import('../health/server.js'),
  ]);
  const metrics = await Metrics.open({ stream, group, member: member.name });
  metrics.attach(member);
  return { metrics, server: await serveHealth(member, metrics, health) };
}
