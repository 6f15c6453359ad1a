/** The times of the protocol, in milliseconds of each member's own monotonic clock. */
export interface Timing {
  /** A member is considered dead if its proof of life has not changed for this long on the observer's clock. */
  ttlMs: number;
  /** A member stops handling messages this long before its ttl ends. This allows for clock drift and for handlers that end late. */
  marginMs: number;
  /** Interval between renewals of the proof of life. */
  renewEveryMs: number;
  /** A handler may start only if the last confirmed renewal was sent less than this long ago. */
  graceMs: number;
  /** Pause between a join and the next plan. A burst of joins causes one plan. */
  settleMs: number;
  /** Maximum pause between the first join of a burst and the next plan. */
  settleAtMostMs: number;
  /** Interval between probes of a member; 0 means that members are not probed. */
  probeEveryMs: number;
  /** Number of consecutive "no responders" answers that prove that a member has no connection. */
  probeMisses: number;
  /** Used instead of `ttlMs` for a member without a connection. */
  suspectMs: number;
  /** No probes for this long after a reconnect, because other members may need longer to reconnect. */
  probeHoldMs: number;
  /** Delay before a retry after a temporary failure. */
  retryMs: number;
}

/** The longest permitted ttl. A session that cannot be read is assumed to have this ttl. */
export const MAX_TTL_MS = 3_600_000;

/** Maximum difference between the clock rates of two machines (assumption A3 in SPEC.md). */
export const CLOCK_DRIFT = 0.05;

/**
 * Derives all times from the ttl and the probe interval.
 *
 * The margin is a tenth of the ttl. Suppose that clock rates differ by r = 5 %. A member whose clock is slow stops when that clock shows
 * `ttl - margin`. At that moment, a fast clock shows at most `(ttl - margin)(1 + r)`. This is less than the ttl if the margin is above 4.8
 * % of the ttl. The rest of the margin gives a handler time to react to its AbortSignal.
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
 * Describes why these times are unsafe; undefined if they are safe.
 *
 * @returns one line with the two times and the rule that they break.
 */
export function unsafeTiming(timing: Timing): string | undefined {
  const { ttlMs, marginMs, renewEveryMs, graceMs, suspectMs } = timing;
  if (renewEveryMs * 2 > graceMs) {
    return `renewing every ${renewEveryMs} ms leaves no time for a second attempt within a grace of ${graceMs} ms`;
  }
  if (marginMs * (1 + CLOCK_DRIFT) < ttlMs * CLOCK_DRIFT) {
    return `a margin of ${marginMs} ms does not cover clocks that differ by 5 % over a ttl of ${ttlMs} ms`;
  }
  if (graceMs * (1 + CLOCK_DRIFT) > suspectMs && suspectMs < ttlMs) {
    return `a member may handle messages for ${graceMs} ms after its last renewal, but other members consider it dead after ${suspectMs} ms`;
  }
  return undefined;
}
