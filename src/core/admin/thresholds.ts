/** The thresholds that decide the states of members and groups, shared by `leases`, `check` and `top`. */

/** Timeout of a request to a member, in milliseconds. Answers usually take a few milliseconds; `leases` waits for the slowest member. */
export const ANSWER_MS = 500;

/** A member is silent after this time without an answer, in milliseconds. A busy handler may delay a single answer. */
export const SILENT_MS = 5_000;

/**
 * A member is late if this share of its ttl has passed since its last renewal. Renewals are at most a third of the ttl apart
 * (SPEC.md, Times).
 */
export const LATE_SHARE = 2 / 3;

/** After a change of the group, loads are allowed to be uneven for this time, in milliseconds. */
export const REBALANCE_MS = 5_000;
