import { core, type Mutant } from './mutant.js';

/** Mistakes about ownership: fencing, claims, handovers, plans. */
export const OWNERSHIP: readonly Mutant[] = [
  {
    name: 'lost-with-lease',
    mistake: 'an owner whose lease and position the bucket lost does not write the position back',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title:
        'a member gives up a lease that the leader does not have, writes the position back, and claims the lease again',
    },
    edits: [core('protocol/view', "state.out.push({ type: 'restore-position', partition });", '')],
  },
  {
    name: 'old-end-believed',
    mistake:
      'a member is fenced because a read from before a restore showed that its proof of life had ended',
    shownBy: {
      file: 'test/unit/group-suspicion.test.ts',
      title:
        'a member does not complete a fencing if the proof of life exists again, because the bucket was restored',
    },
    edits: [
      core(
        'protocol/failure-detector',
        "state.out.push({ type: 'end-proof', id: peer.id, expected: proof.revision });",
        "if (proof.ended) fenceSession(state, peer); else state.out.push({ type: 'end-proof', id: peer.id, expected: proof.revision });",
      ),
    ],
  },
  {
    name: 'lost-claim-rewritten',
    mistake:
      'a member writes a lost lease again that another member had claimed after the death of this member',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title: 'a member writes a lost lease again only if it gave the lease away',
    },
    edits: [core('protocol/view', "(record.reason !== 'claim' && record.from", '(record.from')],
  },
  {
    name: 'snapshot-loss-unheeded',
    mistake: 'a member claims a partition at once if a snapshot lacks a lease that the member knew',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title:
        'a member claims nothing for a ttl if a snapshot lacks a lease that it knew, because an owner may not know of the loss',
    },
    edits: [core('protocol/view', 'holdClaims(state);', '')],
  },
  {
    name: 'kept-for-no-one',
    mistake: 'other members claim a partition that is kept for a restart',
    edits: [core('protocol/planning', 'state.reserved.has(partition)', 'false')],
  },
  {
    name: 'kept-for-ever',
    mistake: 'a partition is kept for a member that does not return',
    edits: [core('protocol/reservations', 'if (!isDue(state, until)) continue;', 'if (until > 0) continue;')],
  },
  {
    name: 'restart-forgotten',
    mistake: 'a member that was restarted does not know that partitions were kept for it',
    edits: [core('protocol/planning', '(reserved && named.find(reserved.name))', 'null')],
  },
  {
    name: 'unseen-is-gone',
    mistake: 'an owner without a known session is taken for ended',
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
    mistake: 'partitions of a member whose session was removed are claimed while it may still run handlers',
    needs: ['losses', 'lateWatch', 'silentWatch', 'lostChanges'],
    edits: [core('protocol/reconcile', 'state.now < state.holdUntil || ', '')],
  },
  {
    name: 'end-unmarked',
    mistake: 'no deletion marker is written for an ended member whose session was removed',
    edits: [
      core(
        'protocol/look-up',
        "if (outcome.kind === 'ok') state.out.push({ type: 'fence-session', id, expected: 0 });",
        "if (outcome.kind === 'ok') unseenMarked(state, { type: 'session-fenced', id, outcome: { kind: 'ok', revision: 0 } });",
      ),
    ],
  },
  {
    name: 'phantom-unmissed',
    mistake: 'no member checks whether other sessions still exist',
    needs: ['losses', 'crash', 'lateWatch', 'lostChanges'],
    edits: [core('protocol/entry-looks', "state.out.push({ type: 'look-up-session', id });", '')],
  },
  {
    name: 'foreign-unlooked',
    mistake: 'no member checks the leases for which it is not responsible',
    needs: ['unseenHandover'],
    edits: [core('protocol/entry-looks', ' ? mine : foreign)', ' ? mine : [])')],
  },
  {
    name: 'ended-restored',
    mistake: 'a member writes a lost lease again although its owner has ended',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title:
        'a member does not write a lost lease again for an owner that has ended, because another member may have claimed it since',
    },
    edits: [core('protocol/entry-looks', 'hasEnded || ', '')],
  },
  {
    name: 'giver-looks-away',
    mistake: 'no member writes a lost lease again that it handed over',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title: 'a member checks a lease that it gave away, and writes it again unchanged if it is missing',
    },
    edits: [core('protocol/view', " || (record.reason !== 'claim' && record.from === state.name)", '')],
  },
  {
    name: 'receded-forgotten',
    mistake: 'an old lease from a leader that is cut off is never read again',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title:
        'if a leader returns a lease at an older revision, a member reads the lease again until its revision is as new as before',
    },
    edits: [core('protocol/entry-looks', ' || state.receded.has(partition)', '')],
  },
  {
    name: 'override-unlooked',
    mistake: 'no member checks whether the pauses that it knows still exist',
    shownBy: {
      file: 'test/unit/group-anew.test.ts',
      title:
        'a member resumes a paused partition if the leader does not know the pause at two reads with a renewal between them',
    },
    edits: [
      core('protocol/entry-looks', "state.out.push({ type: 'look-up-override', partition, known });", ''),
    ],
  },
  {
    name: 'lost-lease-unnoticed',
    mistake: 'no member checks whether its leases still exist',
    edits: [core('protocol/entry-looks', 'lookUpLease(state, partition);', '')],
  },
  {
    name: 'old-revisions-kept',
    mistake: 'the leases of a restored bucket are ignored as old',
    needs: ['goingBack'],
    edits: [core('protocol/begin-anew', '    state.leases,\n', '')],
  },
  {
    name: 'claim-without-fencing',
    mistake: 'a suspected member is taken for dead without a deletion of its session',
    edits: [
      core(
        'protocol/failure-detector',
        "state.out.push({ type: 'end-proof', id: peer.id, expected: proof.revision });",
        'bury(state, peer, peer.revision);',
      ),
    ],
  },
  {
    name: 'left-half-done',
    mistake: 'a session whose proof of life was deleted is left to the fencing member',
    edits: [
      core(
        'protocol/failure-detector',
        'if (!proof || peer.fencing) return;',
        'if (!proof || peer.fencing || proof.ended) return;',
      ),
    ],
  },
  {
    name: 'finished-at-once',
    mistake:
      'a session whose proof of life was deleted is deleted immediately, although its member may not know yet',
    edits: [core('protocol/failure-detector', '? proof.since + suspectOf(peer)', '? proof.since')],
  },
  {
    name: 'two-at-a-time',
    mistake: 'members after dead neighbours in the ring are observed only when the dead neighbours are gone',
    edits: [
      core('protocol/failure-detector', 'if (!isDoubtful(state, peer)) well++;', 'well++;'),
      core('protocol/failure-detector', 'if (isSilent(state, peer)) watched', 'if (well < 0) watched'),
    ],
  },
  {
    name: 'missing-is-ended',
    mistake: 'a proof of life that the leader does not know is taken for deleted',
    shownBy: {
      file: 'test/unit/bucket-effects.test.ts',
      title:
        'a proof of life counts as ended only if its deletion marker was read, not if the leader does not know the proof',
    },
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
    mistake: 'an owner that the leader does not know is taken for ended',
    needs: ['astray', 'isolation', 'joins'],
    edits: [
      core('protocol/look-up', 'let seen =', 'markGone(state, id);\n  state.dirty = true;\n  let seen ='),
    ],
  },
  {
    name: 'failed-fence-believed',
    mistake: 'a proof of life counts as deleted although the compare-and-set failed',
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
    mistake: 'a claim counts as successful although the compare-and-set failed',
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
    mistake: 'a conflict of a renewal is taken for a fencing, without another read',
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
    mistake: 'a partition starts again during a handover of unknown outcome',
    needs: ['indecision', 'lostAnswers', 'lateWrites', 'joins', 'leaves'],
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
    mistake: 'a leaving member deletes its session before its partitions are handed over',
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
    mistake: 'every join causes a plan immediately',
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
    mistake: 'an overloaded member gives up the partitions that it got last',
    edits: [core('protocol/assign', 'b.epoch - a.epoch ||', 'a.epoch - b.epoch ||')],
  },
  {
    name: 'unsteady-plan',
    mistake: 'the larger shares go to the members with the most partitions, which changes during the plan',
    edits: [core('protocol/assign', 'own.length + pinned > share ? 1 : 0', 'own.length + pinned')],
  },
  {
    name: 'waiting-moves-at-once',
    mistake: 'a partition that waits to start again moves without its last commit',
    shownBy: {
      file: 'test/unit/group-partitions.test.ts',
      title: 'partitions are drained before they are given away, even while they wait to start again',
    },
    edits: [
      core(
        'protocol/reconcile',
        'if (!surplus && !own.release) continue;',
        "if (!surplus && !own.release) continue;\n    if (own.phase === 'waiting') {\n      own.phase = 'drained';\n      continue;\n    }",
      ),
    ],
  },
  {
    name: 'leaver-passes-on',
    mistake: 'a leaving member whose session becomes live again hands over without the last commit',
    edits: [
      core(
        'protocol/own-partitions',
        'else if (state.leaving || orderOf(state)) drain(state, partition, own);',
        "else if (state.leaving || orderOf(state)) own.phase = 'drained';",
      ),
    ],
  },
  {
    name: 'one-try-to-take',
    mistake:
      'a drain that cannot take over its position immediately moves the partition without its last commit',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title:
        'a drain commits the messages that the previous runner handled, even if the position cannot be read at first',
    },
    edits: [
      core(
        'member/partition/taking',
        "taken.kind === 'unknown' && this.#events.phase() === 'draining'",
        "taken.kind === 'unknown' && this.#events.phase() === 'ended'",
      ),
    ],
  },
];
