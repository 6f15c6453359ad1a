import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Link } from '../../ports/index.js';
import type { Report } from '../../protocol/events.js';

interface LinkTold {
  feed(event: { type: 'connected' | 'disconnected' }): void;
  report(report: Report): void;
  /** The connection has ended. */
  fail(error: NatspocError): void;
}

/**
 * Feeds each change of the connection to the protocol. Reports when a break starts and ends. Stops when the returned function is called.
 */
export function followLink(link: Link, clock: Clock, told: LinkTold): () => void {
  let brokenAt: number | undefined;
  return link.watch({
    disconnected: (about) => {
      const { server = null, reason = null } = about ?? {};
      if (brokenAt === undefined) told.report({ type: 'disconnected', server, reason });
      brokenAt ??= clock.now();
      told.feed({ type: 'disconnected' });
    },
    reconnected: (server = null) => {
      const afterMs = clock.now() - (brokenAt ?? clock.now());
      brokenAt = undefined;
      told.report({ type: 'reconnected', server, afterMs });
      told.feed({ type: 'connected' });
    },
    ended: (error) => told.fail(error),
  });
}
