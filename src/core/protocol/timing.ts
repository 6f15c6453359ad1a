/** The protocol's times, all in milliseconds of each member's own monotonic clock. */
export interface Timing {
  /** A proof of life unchanged for this long on an observer's clock means that its member is dead. */
  ttlMs: number;
  /** A member stops this much before its own ttl: it covers clock rates that differ and work that ends late. */
  marginMs: number;
  /** The proof of life is renewed this often. */
  renewEveryMs: number;
  /** No handler starts when the last certain renewal was sent longer ago than this. */
  graceMs: number;
  /** A join waits this long for others, so that a burst makes one plan. */
  settleMs: number;
  /** And at most this long, whoever else comes. */
  settleAtMostMs: number;
  /** How often the next members in the ring are probed; 0: not at all. */
  probeEveryMs: number;
  /** So many "no responders" in a row mean that a member has no connection. */
  probeMisses: number;
  /** The proof of life of a member without a connection unchanged for this long means that it is dead. */
  suspectMs: number;
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
 * Says what is unsafe about these times, or nothing.
 *
 * @returns one line that names the two times and the rule between them.
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
