import { core, type Mutant } from './mutant.js';

/** Mistakes about ownership: fencing, claims, handovers, plans. */
export const OWNERSHIP: readonly Mutant[] = [
  {
    name: 'unseen-is-gone',
    mistake: 'an owner that no entry has shown is taken for one that has ended',
    edits: [
      core(
        'protocol/look-up',
        'if (state.gone.has(owner)) return true;',
        'if (owner !== state.session.id && !state.peers.has(owner)) return true;',
      ),
    ],
  },
  {
    name: 'no-claim-hold',
    mistake: 'what a member owned whose session somebody has removed is claimed while it may still handle',
    edits: [
      core('protocol/reconcile', 'if (state.now < state.holdUntil) return;', 'if (state.left) return;'),
    ],
  },
  {
    name: 'end-unmarked',
    mistake: 'that a member has ended whose session somebody has removed is not told to those who know of it',
    edits: [
      core(
        'protocol/look-up',
        'leaveMark(state, id);\n  else state.out',
        "unseenMarked(state, id, { kind: 'ok', revision: 0 });\n  else state.out",
      ),
    ],
  },
  {
    name: 'phantom-unmissed',
    mistake: 'nobody looks whether the sessions of the members that it plans with are still there',
    edits: [core('protocol/entry-looks', "state.out.push({ type: 'look-up-session', id });", '')],
  },
  {
    name: 'giver-looks-away',
    mistake: 'nobody looks whether a lease is still there that its new owner may never have seen',
    edits: [core('protocol/view', ' || record.from === state.name', '')],
  },
  {
    name: 'lost-lease-unnoticed',
    mistake: 'nobody looks whether the own leases are still there',
    edits: [core('protocol/entry-looks', 'lookUpLease(state, partition);', '')],
  },
  {
    name: 'old-revisions-kept',
    mistake: 'the leases of a bucket that went back are passed over as older than what was known',
    edits: [core('protocol/begin-anew', '    state.leases,\n', '')],
  },
  {
    name: 'claim-without-fencing',
    mistake: 'a suspected member is taken for dead without deleting its session',
    edits: [
      core(
        'protocol/failure-detector',
        "state.out.push({ type: 'end-proof', id: peer.id, expected: proof.revision });",
        "bury(state, peer, peer.revision, 'dead');",
      ),
    ],
  },
  {
    name: 'left-half-done',
    mistake: 'a session whose proof of life was deleted is left to whoever deleted that',
    edits: [
      core(
        'protocol/failure-detector',
        '  if (proof.ended) {\n    fenceSession(state, peer);\n    return;\n  }\n',
        '  if (proof.ended) return;\n',
      ),
    ],
  },
  {
    name: 'finished-at-once',
    mistake:
      'a session whose proof of life was deleted is deleted at once, though its member may not know yet',
    edits: [core('protocol/failure-detector', '? proof.since + suspectOf(peer)', '? proof.since')],
  },
  {
    name: 'two-at-a-time',
    mistake: 'whoever is behind dead neighbours is looked after only when these are gone',
    edits: [
      core('protocol/failure-detector', 'if (!isDoubtful(state, peer)) well++;', 'well++;'),
      core('protocol/failure-detector', 'if (isSilent(state, peer)) watched', 'if (well < 0) watched'),
    ],
  },
  {
    name: 'missing-is-ended',
    mistake: 'a proof of life that the leader does not know of is taken for one that was deleted',
    edits: [
      core(
        'member/engine/bucket-effects',
        "return { kind: 'ok', revision: 0, ended: false };",
        "return { kind: 'ok', revision: 0, ended: true };",
      ),
    ],
  },
  {
    name: 'look-up-believed',
    mistake: 'an owner that the leader does not know of is taken for one that has ended',
    edits: [
      core('protocol/look-up', 'let seen =', 'markGone(state, id);\n  state.dirty = true;\n  let seen ='),
    ],
  },
  {
    name: 'failed-fence-believed',
    mistake: 'a proof of life counts as ended although the compare-and-set failed',
    edits: [
      core(
        'protocol/failure-detector',
        "  if (outcome.kind === 'ok') {\n    const since",
        "  if (outcome.kind !== 'unknown') {\n    const since",
      ),
    ],
  },
  {
    name: 'lost-claim-believed',
    mistake: 'a lease counts as ours although the compare-and-set failed',
    edits: [
      core(
        'protocol/lease-writes',
        "  if (outcome.kind === 'ok') {\n    if (write?.expected",
        "  if (outcome.kind !== 'unknown') {\n    outcome = { kind: 'ok', revision: expected + 1, ...outcome };\n    if (write?.expected",
      ),
    ],
  },
  {
    name: 'renewal-conflict-believed',
    mistake: 'a conflict of a renewal is taken for being fenced, without reading back',
    edits: [
      core(
        'protocol/proof',
        '      proof.reading = true;\n      proof.renewAt = now + timing.retryMs;\n',
        "      ended(state, 'proof');\n      return;\n",
      ),
    ],
  },
  {
    name: 'start-in-doubt',
    mistake: 'a partition starts again while a handover of unknown outcome may still take it away',
    edits: [
      core(
        'protocol/lease-writes',
        'return state.writes.get(partition)?.expected === epoch;',
        'return partition < 0 && epoch < 0 && state.left;',
      ),
    ],
  },
  {
    name: 'leave-at-once',
    mistake: 'a leaver deletes its session without waiting for its partitions to be handed over',
    edits: [
      core(
        'protocol/session',
        '  if (state.own.size > 0) return false;\n',
        '  if (state.own.size >= 0) return true;\n',
      ),
    ],
  },
  {
    name: 'no-settling',
    mistake: 'every join is planned for at once',
    edits: [
      core(
        'protocol/reconcile',
        'state.leaving || isDue(state, state.settleUntil)',
        'state.leaving || isDue(state, 0)',
      ),
    ],
  },
  {
    name: 'newest-given-up',
    mistake: 'a member with too many gives up those that it got last',
    edits: [core('protocol/assign', 'b.epoch - a.epoch ||', 'a.epoch - b.epoch ||')],
  },
  {
    name: 'unsteady-plan',
    mistake: 'the larger shares go by who has most now, which changes while the plan is carried out',
    edits: [core('protocol/assign', 'own.length + pinned > share ? 1 : 0', 'own.length + pinned')],
  },
  {
    name: 'waiting-moves-at-once',
    mistake: 'a partition that waits to start again moves without its last commit',
    edits: [
      core(
        'protocol/reconcile',
        '    drain(state, partition, own);\n  }\n}\n\n/** Claims',
        "    if (own.phase === 'waiting') own.phase = 'drained';\n    else drain(state, partition, own);\n  }\n}\n\n/** Claims",
      ),
    ],
  },
  {
    name: 'leaver-passes-on',
    mistake: 'a leaver whose session comes to life again passes its partitions on without their last commit',
    edits: [
      core(
        'protocol/own-partitions',
        'else if (state.leaving) drain(state, partition, own);',
        "else if (state.leaving) own.phase = 'drained';",
      ),
    ],
  },
  {
    name: 'one-try-to-take',
    mistake: 'a drain that cannot take its position over at once moves the partition without its last commit',
    edits: [
      core(
        'member/partition/runner',
        "taken.kind === 'unknown' && this.#phase === 'draining'",
        "taken.kind === 'unknown' && this.#phase === 'ended'",
      ),
    ],
  },
];
