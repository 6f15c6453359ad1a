/** The protocol's times, all in milliseconds of each member's own monotonic clock. */
export interface Timing {
  /** An entry unchanged for this long on an observer's clock means that its member is dead. */
  ttlMs: number;
  /** A member stops this much before its own ttl: it covers clock rates that differ and work that ends late. */
  marginMs: number;
  /** Renewals are sent this often. */
  renewEveryMs: number;
  /** A join waits this long for others, so that a burst makes one plan. */
  settleMs: number;
  /** And at most this long, whoever else comes. */
  settleAtMostMs: number;
  /** How often the next members in the ring are probed; 0: not at all. */
  probeEveryMs: number;
  /** Members that others probed: so many "no responders" in a row, over at least `suspectMs`, mean dead. */
  probeMisses: number;
  suspectMs: number;
  /** A member asks for its own session this often, to know that it is still in touch. */
  confirmEveryMs: number;
  /** And starts no handler when the last answered question is older than this. */
  confirmGraceMs: number;
  /** After our own reconnect nobody is probed for this long: others may need longer to come back. */
  probeHoldMs: number;
  /** What failed for a passing reason is tried again after this long. */
  retryMs: number;
}

/** The longest ttl that the settings allow: what others wait for where they cannot read a member's session. */
export const MAX_TTL_MS = 3_600_000;

/** Clock rates may differ by this much between any two machines (invariant I4). */
export const CLOCK_DRIFT = 0.05;

/**
 * The times that follow from the two that people set.
 *
 * The margin is a tenth of the ttl. With rates that differ by r = 5 % a member that stops at `ttl - margin` of
 * a slow clock is done by `(ttl - margin)(1 + r)` of a fast one, which stays below the ttl for any margin
 * above `ttl * r / (1 + r)` = 4.8 % of it; the rest is for a handler to notice its AbortSignal.
 */
export function timingFor(ttlMs: number, probeEveryMs: number): Timing {
  const suspectMs = probeEveryMs > 0 ? 2 * probeEveryMs : ttlMs;
  return {
    ttlMs,
    marginMs: ttlMs / 10,
    renewEveryMs: ttlMs / 3,
    settleMs: 150,
    settleAtMostMs: 1_000,
    probeEveryMs,
    probeMisses: 3,
    suspectMs,
    confirmEveryMs: Math.min(suspectMs * 0.375, ttlMs / 3),
    confirmGraceMs: Math.min(suspectMs * 0.875, ttlMs - ttlMs / 10),
    probeHoldMs: ttlMs / 2,
    retryMs: 250,
  };
}

/**
 * Says what is unsafe about these times, or nothing.
 *
 * @returns one line that names the two times and the rule between them.
 */
export function unsafeTiming(timing: Timing): string | undefined {
  const { ttlMs, marginMs, renewEveryMs, suspectMs, confirmEveryMs, confirmGraceMs } = timing;
  if (renewEveryMs * 2 > ttlMs - marginMs) {
    return `renewing every ${renewEveryMs} ms leaves no second try within a ttl of ${ttlMs} ms less ${marginMs} ms`;
  }
  if (marginMs * (1 + CLOCK_DRIFT) < ttlMs * CLOCK_DRIFT) {
    return `a margin of ${marginMs} ms does not cover clocks that differ by 5 % over a ttl of ${ttlMs} ms`;
  }
  if (confirmGraceMs * (1 + CLOCK_DRIFT) > suspectMs && suspectMs < ttlMs) {
    return `a member may handle messages for ${confirmGraceMs} ms after it was last in touch, but others give it up after ${suspectMs} ms`;
  }
  if (confirmEveryMs * 2 > confirmGraceMs) {
    return `being in touch every ${confirmEveryMs} ms is too seldom for a grace of ${confirmGraceMs} ms`;
  }
  return undefined;
}
