import { group, type Mutant, nats } from './mutant.js';

/** Mistakes about time: deadlines, suspicion, being in touch. */
export const TIME: readonly Mutant[] = [
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
    edits: [group('session', '  if (state.session.certainAt < state.connectedAt) return;\n', '')],
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
    name: 'mute-suspected',
    mistake: 'no answer is taken for the end of members that may not answer',
    edits: [
      {
        file: 'src/core/member/bucket-effects.ts',
        find: 'probeable ? timing.suspectMs : NEVER_MS',
        replace: 'probeable || effect.leaving !== undefined ? timing.suspectMs : NEVER_MS',
      },
    ],
  },
  {
    name: 'identity-given-up',
    mistake: 'an identity that could not be made is not tried again',
    edits: [
      {
        file: 'src/core/member/member.ts',
        find: 'if (!this.#ended) void this.#identify();',
        replace: 'if (this.#ended) void this.#identify();',
      },
    ],
  },
  {
    name: 'incomplete-for-ever',
    mistake: 'a snapshot of which an entry never comes is waited for for ever',
    edits: [
      nats(
        'watch',
        "if (this.#snapshot) this.#reader?.fail('the",
        "if (this.#stopped) this.#reader?.fail('the",
      ),
    ],
  },
  {
    name: 'part-for-whole',
    mistake: 'the first part of a snapshot is taken for all of it',
    edits: [nats('watch', 'if (delivery.pending === 0) this.', 'if (delivery.pending >= 0) this.')],
  },
  {
    name: 'heartbeats-trusted',
    mistake: 'a watch whose heartbeats come is taken for one that brings everything',
    edits: [nats('watch', 'if (isBehind && ', 'if (this.#stopped && ')],
  },
  {
    name: 'newest-is-enough',
    mistake: 'whoever has seen the newest entry is taken to have seen all before it',
    edits: [nats('watch', ' || (newest.seq === known && this.#pending > 0)', '')],
  },
  {
    name: 'break-survived',
    mistake: 'a reader, of a watch too, is thought to outlive a broken connection',
    edits: [
      nats('pull', "reconnected: () => this.fail('the connection was lost'),", 'reconnected: () => {},'),
    ],
  },
  {
    name: 'expiry-while-disconnected',
    mistake: 'silence counts although the observer itself was disconnected',
    edits: [group('suspicion', 'Math.max(peer.changedAt, state.connectedAt)', 'peer.changedAt')],
  },
];
