import type { FoundLetter } from '../../src/core/protocol/dead-letter.js';
import type { Watchable } from '../../src/top/feed.js';

const NO_DATA = new Uint8Array();

/** A row of the list of groups: a group with two members, which works. */
export const watchable = (stream: string, group: string, changes: Partial<Watchable> = {}): Watchable => ({
  ...{ stream, group, state: 'running', key: null, filter: null, partitions: 8, owned: 8, members: 2 },
  ...{ unreachable: 0, lag: 12, lagIsEstimate: false, oldestMs: 3_000, lastCommitAtMs: null },
  ...{ wrongPositions: 0, resizingTo: null, problem: null, ...changes },
});

/** A dead letter of p3 in group g. */
export const letter = (sequence: number, error = 'out of stock'): FoundLetter => ({
  ...{ sequence, error, data: NO_DATA, key: `k${sequence}`, headers: {}, partition: 3 },
  ...{ subject: 'events.p.3', group: 'g', from: 100 + sequence, attempts: 5 },
  ...{ time: '2026-01-05T11:59:00.000Z', parts: [] },
});
