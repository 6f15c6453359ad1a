import { core, type Mutant } from './mutant.js';

/** Mistakes in a resize. They concern where new partitions begin, what they skip, and when old partitions end. */
export const RESIZING: readonly Mutant[] = [
  {
    name: 'resize-from-highest',
    mistake: 'a partition starts at the highest position of the old partitions that share keys with it',
    edits: [core('protocol/partition-start', 'start: { seq: lowest,', 'start: { seq: highest,')],
  },
  {
    name: 'resize-repeats',
    mistake: 'a partition handles messages again that were handled in the old partitions',
    edits: [
      core(
        'protocol/partition-start',
        'message.sequence <= highest &&',
        'message.sequence <= 0 * highest &&',
      ),
    ],
  },
  {
    name: 'resize-before-closing',
    mistake: 'the next layout is written although a partition is still open',
    edits: [
      core('protocol/resize', 'if (!isClosed(state, partition)) return;', ''),
      core(
        'protocol/resize',
        "lease && lease !== 'unreadable' ? lease.closed : undefined;",
        "(lease && lease !== 'unreadable' ? lease.closed : undefined) ?? { order: 0, seq: 0, created: undefined };",
      ),
    ],
  },
  {
    name: 'resize-unnoticed',
    mistake:
      'a member that has missed a resize takes the leases of new partitions for leases of its old partitions',
    edits: [
      core(
        'protocol/known-layout',
        "if (isAhead(state, record)) return { revision, record: 'unreadable' };",
        '',
      ),
      core('protocol/known-layout', 'if (record && record !==', 'if (false && record && record !=='),
    ],
  },
];
