/** When something counts as what it is called: one number for each word, for `leases`, `check` and `top`. */

/** How long a member has to answer one question, milliseconds: an answer takes a few, and `leases` waits for the slowest. */
export const ANSWER_MS = 500;

/** A member that has answered none of the questions of this long is silent: a busy handler may delay one of them. */
export const SILENT_MS = 5_000;

/** Renewals are at most a third of the ttl apart (SPEC.md, Times): after this share of it one has been missed. */
export const LATE_SHARE = 2 / 3;

/** Loads may differ for this long after a change of the group: the members are sharing the partitions out. */
export const REBALANCE_MS = 5_000;
