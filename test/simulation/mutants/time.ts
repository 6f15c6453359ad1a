import { core, type Mutant } from './mutant.js';

/** Mistakes about time: deadlines, suspicion, contact. */
export const TIME: readonly Mutant[] = [
  {
    name: 'patient-look',
    mistake: 'a request for which a commit waits gets the general timeout',
    edits: [
      core(
        'nats/client/placement',
        'answerMs === undefined ? answer : within(answer, answerMs, clock)',
        'answerMs === undefined ? answer : within(answer, 5_000, clock)',
      ),
    ],
  },
  {
    name: 'grace-from-answer',
    mistake: 'the grace is counted from the answer to a renewal, not from the sending of the renewal',
    edits: [
      core(
        'protocol/proof',
        'certain(state, outcome.revision, sentAt)',
        'certain(state, outcome.revision, now)',
      ),
    ],
  },
  {
    name: 'grace-from-last-try',
    mistake: 'the grace counts from the last of several renewals of unknown outcome, not the first',
    edits: [
      core(
        'protocol/proof',
        "case 'unknown':\n      proof.unknownSince ??= sentAt;",
        "case 'unknown':\n      proof.unknownSince = sentAt;",
      ),
      core(
        'protocol/proof',
        'proof.unknownSince ??= sentAt;\n      proof.reading',
        'proof.unknownSince = sentAt;\n      proof.reading',
      ),
    ],
  },
  {
    name: 'no-margin',
    mistake: 'the grace has no margin for different clock rates',
    edits: [core('protocol/timing', 'Math.min(suspectMs * 0.875', 'Math.min(suspectMs * 1.1')],
  },
  {
    name: 'out-of-touch',
    mistake: 'handlers start until the deadline, without a confirmed renewal',
    edits: [core('protocol/proof', 'proof.certainAt + timing.graceMs', 'proof.deadline')],
  },
  {
    name: 'reconnect-trusted',
    mistake: 'handlers start after a reconnect before a renewal has shown that the bucket is the same',
    needs: ['fencedReturns'],
    edits: [core('protocol/proof', 'isAlive(state) && hasRenewed(state) && now', 'isAlive(state) && now')],
  },
  {
    name: 'reads-are-contact',
    mistake: 'a member counts a read of its proof of life as contact',
    edits: [
      core(
        'protocol/proof',
        'proof.renewAt = Math.max(now, sentAt + timing.retryMs);',
        "proof.renewAt = Math.max(now, sentAt + timing.retryMs);\n      proof.reading = true;\n      state.out.push({ type: 'read-proof', id: session.id ?? '' });",
      ),
      core(
        'protocol/proof',
        'if (outcome.revision > proof.revision && proof.unknownSince !== null)',
        'if (outcome.revision === proof.revision) proof.certainAt = Math.max(proof.certainAt, readAt);\n  else if (outcome.revision > proof.revision && proof.unknownSince !== null)',
      ),
      core(
        'protocol/proof',
        'ownProofRead(state: State, { outcome }',
        'ownProofRead(state: State, { outcome, sentAt: readAt }',
      ),
      core(
        'member/engine/bucket-effects',
        "    const found = await this.#findProof(id);\n    if (found.kind === 'failed') fail(found.error);\n    else feed({ type: 'proof-read', id, outcome",
        "    const sentAt = this.#ports.clock.now();\n    const found = await this.#findProof(id);\n    if (found.kind === 'failed') fail(found.error);\n    else feed({ type: 'proof-read', id, sentAt, outcome",
      ),
    ],
  },
  {
    name: 'commits-are-contact',
    mistake: 'while commits are acknowledged, the proof of life is renewed only once per third of the ttl',
    edits: [
      core(
        'member/engine/partition-relay',
        '    ...listener,\n',
        "    ...listener,\n    committed: (_, tookMs) => feed({ type: 'heard', tookMs }),\n",
      ),
      core(
        'protocol/step',
        "  'session-fenced': (",
        `  heard: (state, { now, tookMs }) => {
    const { proof } = state.session;
    const sentAt = now - tookMs;
    proof.certainAt = Math.max(proof.certainAt, sentAt);
    const latest = proof.deadline - state.timing.ttlMs * 0.567;
    proof.renewAt = Math.max(proof.renewAt, Math.min(latest, sentAt + state.timing.renewEveryMs));
  },
  'session-fenced': (`,
      ),
    ],
  },
  {
    name: 'old-sight-counts',
    mistake: 'an observed renewal does not restart the observation',
    edits: [
      core(
        'protocol/failure-detector',
        'else peer.proof = { revision, ended, since: state.now,',
        'else peer.proof = { revision, ended, since: proof?.since ?? state.now,',
      ),
    ],
  },
  {
    name: 'hasty-probes',
    mistake: 'three "no responders" are sufficient, even right after a renewal',
    edits: [
      core(
        'protocol/failure-detector',
        'return Math.max(missingSince, since) + record.suspectMs;',
        'return missingSince;',
      ),
    ],
  },
  {
    name: 'timeouts-prove',
    mistake: 'probes without an answer count like "no responders"',
    edits: [
      core('protocol/failure-detector', "if (outcome !== 'no-responders') {", "if (outcome === 'alive') {"),
    ],
  },
  {
    name: 'no-hold',
    mistake: 'after its own reconnect a member probes immediately, while others still reconnect',
    edits: [
      core(
        'protocol/failure-detector',
        'state.reconnected ? state.connectedAt + timing.probeHoldMs : now',
        'state.reconnected ? now : now',
      ),
    ],
  },
  {
    name: 'mute-suspected',
    mistake: 'silence is taken for the death of members that are not permitted to answer',
    edits: [
      core(
        'member/engine/bucket-effects',
        'probeable ? timing.suspectMs : NEVER_MS',
        'probeable || effect.leaving !== undefined ? timing.suspectMs : NEVER_MS',
      ),
    ],
  },
  {
    name: 'identity-given-up',
    mistake: 'a failed creation of an identity is not retried',
    edits: [
      core(
        'member/engine/identification',
        'if (!this.#isOver) void this.begin();',
        'if (this.#isOver) void this.begin();',
      ),
    ],
  },
  {
    name: 'incomplete-for-ever',
    mistake: 'a member waits forever for a missing entry of a snapshot',
    edits: [
      core(
        'nats/kv/watch',
        "if (this.#snapshot) this.#reader?.fail('the",
        "if (this.#stopped) this.#reader?.fail('the",
      ),
    ],
  },
  {
    name: 'limit-ends-watching',
    mistake:
      'a member that watches again because its bucket was restored from an older copy ends at the limit of consumers',
    needs: ['noMoreWatches', 'goingBack'],
    edits: [
      core('nats/kv/bucket', 'noting, () => this.#hasWatched)', 'noting, () => hasSnapshot)'),
      core(
        'nats/kv/bucket',
        '        this.#hasWatched = true;',
        '        this.#hasWatched = true;\n        hasSnapshot = true;',
      ),
      core(
        'nats/kv/bucket',
        '    const noting: WatchSink = {',
        '    let hasSnapshot = false;\n    const noting: WatchSink = {',
      ),
    ],
  },
  {
    name: 'part-for-whole',
    mistake: 'the first part of a snapshot is taken for the whole snapshot',
    shownBy: {
      file: 'test/unit/watch.test.ts',
      title: 'the watch recovers an entry that the server skipped within 60 ms',
    },
    edits: [core('nats/kv/watch', 'if (delivery.pending === 0) this.', 'if (delivery.pending >= 0) this.')],
  },
  {
    name: 'heartbeats-trusted',
    mistake: 'a watch with heartbeats is taken for complete',
    edits: [core('nats/kv/watch', 'if ((isBehind || newest.seq < known) && ', 'if (this.#stopped && ')],
  },
  {
    name: 'newest-is-enough',
    mistake: 'a watch that has seen the newest entry is taken for complete',
    edits: [core('nats/kv/watch', ' || (newest.seq === known && this.#pending > 0)', '')],
  },
  {
    name: 'break-survived',
    mistake: 'readers, including those of watches, are kept after a broken connection',
    edits: [
      core(
        'nats/jetstream/pull',
        "reconnected: () => this.fail('the connection was lost'),",
        'reconnected: () => {},',
      ),
    ],
  },
  {
    name: 'expiry-while-disconnected',
    mistake: 'silence counts while the observer was disconnected',
    edits: [
      core(
        'protocol/failure-detector',
        '    peer.proof = null;\n    peer.looking = false;\n',
        '    peer.looking = false;\n',
      ),
    ],
  },
];
