/** The times of the protocol, in milliseconds of each member's own monotonic clock. */
export interface Timing {
  /** A member is dead if its proof of life is unchanged for this long on an observer's clock. */
  ttlMs: number;
  /** A member stops this long before its ttl ends: this covers different clock rates and work that ends late. */
  marginMs: number;
  /** Interval of renewals of the proof of life. */
  renewEveryMs: number;
  /** No handler starts if the last confirmed renewal was sent longer ago than this. */
  graceMs: number;
  /** Wait after a join, so that a burst of joins causes one plan. */
  settleMs: number;
  /** Limit of this wait in a longer burst of joins. */
  settleAtMostMs: number;
  /** Interval of probes; 0: none. */
  probeEveryMs: number;
  /** How many consecutive "no responders" prove that a member has no connection. */
  probeMisses: number;
  /** A member without a connection is dead if its proof of life is unchanged for this long. */
  suspectMs: number;
  /** No probes for this long after our own reconnect: others may need longer to reconnect. */
  probeHoldMs: number;
  /** Wait before a retry after a temporary failure. */
  retryMs: number;
}

/** The longest permitted ttl: an unreadable session is assumed to have it. */
export const MAX_TTL_MS = 3_600_000;

/** Maximum difference of the clock rates of two machines (invariant I4). */
export const CLOCK_DRIFT = 0.05;

/**
 * Derives all times from the two settings.
 *
 * The margin is a tenth of the ttl. If clock rates differ by r = 5 %, a member that stops at `ttl - margin` of a slow
 * clock has stopped by `(ttl - margin)(1 + r)` of a fast one. That is below the ttl for any margin above `ttl * r / (1
 * + r)` = 4.8 % of the ttl. The rest of the margin is for a handler to react to its AbortSignal.
 */
export function timingFor(ttlMs: number, probeEveryMs: number): Timing {
  const suspectMs = probeEveryMs > 0 ? 2 * probeEveryMs : ttlMs;
  return {
    ttlMs,
    marginMs: ttlMs / 10,
    renewEveryMs: Math.min(suspectMs * 0.375, ttlMs / 3),
    graceMs: Math.min(suspectMs * 0.875, ttlMs - ttlMs / 10),
    settleMs: 150,
    settleAtMostMs: 1_000,
    probeEveryMs,
    probeMisses: 3,
    suspectMs,
    probeHoldMs: ttlMs / 2,
    retryMs: 250,
  };
}

/**
 * Describes what is unsafe about these times; undefined if they are safe.
 *
 * @returns one line that names two times and the rule between them.
 */
export function unsafeTiming(timing: Timing): string | undefined {
  const { ttlMs, marginMs, renewEveryMs, graceMs, suspectMs } = timing;
  if (renewEveryMs * 2 > graceMs) {
    return `renewing every ${renewEveryMs} ms leaves no second try within a grace of ${graceMs} ms`;
  }
  if (marginMs * (1 + CLOCK_DRIFT) < ttlMs * CLOCK_DRIFT) {
    return `a margin of ${marginMs} ms does not cover clocks that differ by 5 % over a ttl of ${ttlMs} ms`;
  }
  if (graceMs * (1 + CLOCK_DRIFT) > suspectMs && suspectMs < ttlMs) {
    return `a member may handle messages for ${graceMs} ms after its last renewal, but others give it up after ${suspectMs} ms`;
  }
  return undefined;
}
