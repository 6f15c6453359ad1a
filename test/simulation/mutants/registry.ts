/** One place in the source and what a mistake would make of it; `find` has to occur exactly once. */
export interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A deliberate mistake in the protocol or its shell. */
export interface Mutant {
  name: string;
  /** What somebody got wrong. */
  mistake: string;
  edits: readonly [Edit, ...Edit[]];
}

const group = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/group/${file}.ts`,
  find,
  replace,
});
const consume = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/consume/${file}.ts`,
  find,
  replace,
});

const model = (find: string, replace: string): Edit => ({
  file: 'test/simulation/model/bucket.ts',
  find,
  replace,
});

/** Mistakes about time: deadlines, suspicion, being in touch. */
const TIME: readonly Mutant[] = [
  {
    name: 'no-deadline',
    mistake: 'a member whose renewals fail goes on past its deadline',
    edits: [
      group(
        'session',
        'Math.min(session.deadline, state.heardAt + timing.confirmGraceMs)',
        'state.heardAt + timing.confirmGraceMs',
      ),
      group('session', '!session.expired && now >= session.deadline)', 'session.deadline < 0)'),
      group(
        'session',
        '  if (session.revision > 0 && !session.expired) wake(state, session.deadline);\n',
        '',
      ),
      group('state', ' && state.now < state.session.deadline', ''),
    ],
  },
  {
    name: 'deadline-from-answer',
    mistake: 'the deadline counts from the answer to a renewal, not from its sending',
    edits: [
      group('session', 'certain(state, outcome.revision, sentAt)', 'certain(state, outcome.revision, now)'),
    ],
  },
  {
    name: 'deadline-from-last-try',
    mistake: 'of several renewals of unknown outcome the last one counts, not the first',
    edits: [
      group(
        'session',
        "case 'unknown':\n      session.unknownSince ??= sentAt;",
        "case 'unknown':\n      session.unknownSince = sentAt;",
      ),
      group(
        'session',
        '7281): as much in doubt as no answer.\n      session.unknownSince ??= sentAt;',
        '\n      session.unknownSince = sentAt;',
      ),
    ],
  },
  {
    name: 'no-margin',
    mistake: 'a member stops at its ttl, with no margin for clocks that differ',
    edits: [group('session', 'sentAt + timing.ttlMs - timing.marginMs', 'sentAt + timing.ttlMs * 1.1')],
  },
  {
    name: 'out-of-touch',
    mistake: 'handlers start until the deadline, however long nothing has been heard',
    edits: [
      group(
        'session',
        'Math.min(session.deadline, state.heardAt + timing.confirmGraceMs)',
        'session.deadline',
      ),
    ],
  },
  {
    name: 'in-touch-from-answer',
    mistake: 'being in touch counts from the answer, not from the question',
    edits: [
      group(
        'session',
        '  ownSessionSeen(state, outcome.revision);\n  heard(state, sentAt);',
        '  ownSessionSeen(state, outcome.revision);\n  heard(state, now);',
      ),
    ],
  },
  {
    name: 'in-touch-without-renewal',
    mistake: 'after a reconnect any answer counts as being in touch, before others were told by a renewal',
    edits: [
      group(
        'session',
        '  if (sentAt >= state.connectedAt && state.session.certainAt < state.connectedAt) return;\n',
        '',
      ),
    ],
  },
  {
    name: 'misses-add-up',
    mistake: 'missed probes of before a renewal still count after it',
    edits: [group('view', '  peer.misses = 0;\n  if (!known) {', '  if (!known) {')],
  },
  {
    name: 'hasty-probes',
    mistake: 'one "no responders" is proof enough',
    edits: [
      group(
        'suspicion',
        'if (peer.misses >= timing.probeMisses) {\n      if (now >= peer.missingSince + suspectMs)',
        'if (peer.misses >= 1) {\n      if (suspectMs > 0)',
      ),
    ],
  },
  {
    name: 'timeouts-prove',
    mistake: 'probes without an answer count like "no responders"',
    edits: [group('suspicion', "if (outcome !== 'no-responders') {", "if (outcome === 'alive') {")],
  },
  {
    name: 'no-hold',
    mistake: 'after its own reconnect a member probes at once, while others are still on their way back',
    edits: [
      group(
        'suspicion',
        'if (state.reconnected && now < state.connectedAt + timing.probeHoldMs) {',
        'if (state.reconnected && now < 0) {',
      ),
    ],
  },
  {
    name: 'expiry-while-disconnected',
    mistake: 'silence counts although the observer itself was disconnected',
    edits: [group('suspicion', 'Math.max(peer.changedAt, state.connectedAt)', 'peer.changedAt')],
  },
];

/** Mistakes about ownership: fencing, claims, handovers, plans. */
const OWNERSHIP: readonly Mutant[] = [
  {
    name: 'claim-without-fencing',
    mistake: 'a suspected member is taken for dead without deleting its session',
    edits: [
      group(
        'suspicion',
        "state.out.push({ type: 'fence-session', id: peer.id, expected: peer.revision });",
        "bury(state, peer, peer.revision, 'dead');",
      ),
    ],
  },
  {
    name: 'failed-fence-believed',
    mistake: 'a session counts as fenced although the compare-and-set failed',
    edits: [
      group(
        'suspicion',
        "  if (outcome.kind === 'ok') {\n    bury(state, peer, outcome.revision, 'dead');",
        "  if (outcome.kind !== 'unknown') {\n    bury(state, peer, peer.revision + 1, 'dead');",
      ),
    ],
  },
  {
    name: 'lost-claim-believed',
    mistake: 'a lease counts as ours although the compare-and-set failed',
    edits: [
      group(
        'partitions',
        "  if (outcome.kind === 'ok') {\n    if (write?.expected",
        "  if (outcome.kind !== 'unknown') {\n    outcome = { kind: 'ok', revision: expected + 1, ...outcome };\n    if (write?.expected",
      ),
    ],
  },
  {
    name: 'renewal-conflict-believed',
    mistake: 'a conflict of a renewal is taken for being fenced, without reading back',
    edits: [
      group(
        'session',
        '      session.marked = false;\n      session.reading = true;\n',
        '      ended(state);\n      return;\n',
      ),
    ],
  },
  {
    name: 'old-news-believed',
    mistake: 'an older lease entry replaces a newer one that our own write has brought',
    edits: [
      group(
        'view',
        '  const known = state.leases.get(partition);\n  if (known && known.revision >= revision) return;',
        '  const known = state.leases.get(partition);',
      ),
    ],
  },
  {
    name: 'start-in-doubt',
    mistake: 'a partition starts again while a handover of unknown outcome may still take it away',
    edits: [
      group(
        'partitions',
        'return state.writes.get(partition)?.expected === epoch;',
        'return partition < 0 && epoch < 0 && state.left;',
      ),
    ],
  },
  {
    name: 'leave-at-once',
    mistake: 'a leaver deletes its session without waiting for its partitions to be handed over',
    edits: [
      group(
        'session',
        '  if (state.own.size > 0) return false;\n',
        '  if (state.own.size >= 0) return true;\n',
      ),
    ],
  },
  {
    name: 'no-settling',
    mistake: 'every join is planned for at once',
    edits: [
      group(
        'partitions',
        'const settled = state.now >= state.settleUntil || state.leaving;',
        'const settled = state.now > 0 || state.leaving;',
      ),
    ],
  },
  {
    name: 'newest-given-up',
    mistake: 'a member with too many gives up those that it got last',
    edits: [group('assign', 'b.epoch - a.epoch ||', 'a.epoch - b.epoch ||')],
  },
  {
    name: 'unsteady-plan',
    mistake: 'the larger shares go by who has most now, which changes while the plan is carried out',
    edits: [group('assign', 'own.length + pinned > share ? 1 : 0', 'own.length + pinned')],
  },
];

/** Mistakes about data: positions, commits, readers, handlers. */
const DATA: readonly Mutant[] = [
  {
    name: 'gate-ignored',
    mistake: 'handlers are called without asking for permission',
    edits: [consume('work', 'if (!gate.isOpenAt(now)) gate', 'if (now < 0) gate')],
  },
  {
    name: 'commit-without-permission',
    mistake: 'commits are sent without asking for permission',
    edits: [
      consume('committer', '      if (!this.#deps.gate.isOpen) {', '      if (this.#ended) {'),
      consume('committer', 'if (this.#ended || !this.#deps.gate.isOpen) return;', 'if (this.#ended) return;'),
    ],
  },
  {
    name: 'commit-without-compare',
    mistake: 'positions overwrite whatever is there',
    edits: [
      model(
        "  #apply(key: string, value: BucketEntry['value'], expected: number): WriteOutcome {",
        "  #apply(key: string, value: BucketEntry['value'], wanted: number): WriteOutcome {\n    const expected = key.startsWith('position.') ? (this.#store.get(key)?.revision ?? 0) : wanted;",
      ),
    ],
  },
  {
    name: 'newer-epoch-ignored',
    mistake: 'an owner that finds a newer epoch at its position takes it back',
    edits: [consume('opening', "    if (position.epoch > epoch) return { kind: 'fenced' };\n", '')],
  },
  {
    name: 'stale-reads',
    mistake: 'positions are read through a replica that lags one write behind',
    edits: [
      model(
        'const entry = this.#store.get(key);',
        "const entry = key.startsWith('position.') ? this.#store.before(key) : this.#store.get(key);",
      ),
    ],
  },
  {
    name: 'position-untouched',
    mistake: 'a new owner only reads the position: an older owner can still move it',
    edits: [
      consume(
        'opening',
        '  const written = await bucket.write(',
        "  const written = found.kind === 'found' ? { kind: 'ok', revision: found.entry.revision } : await bucket.write(",
      ),
    ],
  },
  {
    name: 'reader-left',
    mistake: 'the reader of the owner before is not deleted',
    edits: [consume('opening', '    olderEpoch !== undefined &&\n', '    olderEpoch === -1 &&\n')],
  },
  {
    name: 'handover-before-commit',
    mistake: 'a partition is handed over without committing what was handled',
    edits: [consume('runner', '    await this.#committer?.flush(FLUSH_MS);\n', '')],
  },
  {
    name: 'handover-before-end',
    mistake: 'a partition is handed over while a handler still runs',
    edits: [
      consume(
        'runner',
        'if (!(await this.#work.settles(this.#settings.drainTimeoutMs))) {',
        'if (this.#isEnded()) {',
      ),
    ],
  },
  {
    name: 'commit-received',
    mistake: 'the position follows what was received, not what was handled',
    edits: [
      consume(
        'runner',
        'this.#committer?.handled(sequence, messages,',
        'this.#committer?.handled(Math.max(sequence, this.#received), messages,',
      ),
    ],
  },
  {
    name: 'reader-skips',
    mistake: 'a reader that replaces a faulty one starts one message too late',
    edits: [
      consume(
        'runner',
        'startSequence: this.#received + 1,',
        'startSequence: this.#received + (this.#handledCount > 0 ? 2 : 1),',
      ),
    ],
  },
  {
    name: 'repeat-in-epoch',
    mistake: 'a restart under the same epoch repeats what was handled and not committed',
    edits: [
      {
        file: 'src/core/member.ts',
        find: 'resting?.epoch === epoch ? resting.status : undefined',
        replace: 'resting?.epoch === -1 ? resting.status : undefined',
      },
    ],
  },
  {
    name: 'no-waiting-for-leftovers',
    mistake: 'a partition starts again while a handler of before still runs here',
    edits: [
      {
        file: 'src/core/member.ts',
        find: 'void runner.start(this.#leftovers.get(partition) ?? Promise.resolve());',
        replace: 'void runner.start(Promise.resolve());',
      },
    ],
  },
];

/** All deliberate mistakes. Every one has to be caught. */
export const MUTANTS: readonly Mutant[] = [...TIME, ...OWNERSHIP, ...DATA];
