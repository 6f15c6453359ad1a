import { core, type Mutant, model } from './mutant.js';

/** Mistakes about data: positions, commits, readers, handlers. */
export const DATA: readonly Mutant[] = [
  {
    name: 'quota-ignored',
    mistake: 'a started message does not count against the quota',
    edits: [core('member/partition/quota', '    this.#left--;\n', '')],
  },
  {
    name: 'letter-unconfirmed',
    mistake: 'a dead letter with unknown outcome counts as stored',
    edits: [
      core(
        'member/partition/failures',
        "if (outcome.kind === 'ok') this",
        "if (outcome.kind !== 'failed') this",
      ),
    ],
  },
  {
    name: 'duplicate-trusted',
    mistake: 'a duplicate dead letter counts as stored',
    edits: [
      core(
        'nats/jetstream/store-once',
        "if (!outcome.duplicate) return { kind: 'ok', sequence };",
        "if (sequence > 0) return { kind: 'ok', sequence };",
      ),
    ],
  },
  {
    name: 'gate-ignored',
    mistake: 'handlers are called without a check of the permit',
    edits: [
      core('member/partition/gate', 'else if (!permit.isOpenAt(now)) permit', 'else if (now < 0) permit'),
    ],
  },
  {
    name: 'commit-without-permission',
    mistake: 'commits are sent without a check of the permit',
    edits: [
      core(
        'member/partition/committer',
        '      if (!this.#deps.permit.isOpen) {',
        '      if (this.#ended) {',
      ),
      core(
        'member/partition/position-writer',
        'if (isStale() || !permit.isOpen) return',
        'if (isStale()) return',
      ),
    ],
  },
  {
    name: 'commit-without-compare',
    mistake: 'positions are written unconditionally',
    edits: [
      model(
        'bucket-api',
        'this.#apply(key, value, expected);',
        "this.#apply(key, value, key.startsWith('position.') ? (this.#ports.server.store.get(key)?.revision ?? 0) : expected);",
      ),
    ],
  },
  {
    name: 'newer-epoch-ignored',
    mistake: 'an owner that finds a newer epoch in the position overwrites the position',
    edits: [
      core(
        'member/partition/takeover',
        "    if (position.epoch > epoch && !(await isNewest(takeover, bucket))) return { kind: 'fenced' };\n",
        '',
      ),
    ],
  },
  {
    name: 'stale-reads',
    mistake: 'positions are read from a replica that lags by one write',
    edits: [
      model(
        'bucket-api',
        ': view.get(key);',
        ": key.startsWith('position.') ? server.store.before(key) : view.get(key);",
      ),
    ],
  },
  {
    name: 'position-untouched',
    mistake: 'a new owner only reads the position, so an older owner can still move it',
    edits: [
      core(
        'member/partition/takeover',
        '  const written = await bucket.write(',
        "  const written = found.kind === 'found' ? { kind: 'ok', revision: found.entry.revision } : await bucket.write(",
      ),
    ],
  },
  {
    name: 'reader-left',
    mistake: 'the reader of the previous owner is not deleted',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title: "a runner continues after the stored position, and deletes the previous owner's reader",
    },
    edits: [
      core(
        'member/partition/takeover',
        '  if (older?.reader !== undefined) {',
        '  if (older?.epoch === -1) {',
      ),
    ],
  },
  {
    name: 'unreadable-is-missing',
    mistake: 'an unreadable position is taken for missing',
    edits: [
      core(
        'member/partition/takeover',
        "if (found.kind === 'found' && found.entry.value) {",
        "if (found.kind === 'found' && found.entry.value && decodePosition(found.entry.value)) {",
      ),
    ],
  },
  {
    name: 'unreadable-is-the-end',
    mistake: 'a member ends if it cannot read one position',
    edits: [
      core(
        'member/partition/taking',
        "else if (taken.kind === 'unreadable') this.#events.unreadable(taken.message);",
        "else if (taken.kind === 'unreadable') this.#events.terminal(new Error(taken.message) as NatspocError);",
      ),
    ],
  },
  {
    name: 'unreadable-is-free',
    mistake: 'an unreadable lease is taken for a lease without an owner',
    edits: [
      core(
        'protocol/planning',
        "    if (lease?.record === 'unreadable') continue;\n    const pin",
        '    const pin',
      ),
    ],
  },
  {
    name: 'loss-untold',
    mistake: 'dropped messages are not reported',
    edits: [
      core(
        'member/partition/stream-losses',
        'if (found) trimmed(found);',
        'if (found && this.#stopped) trimmed(found);',
      ),
    ],
  },
  {
    name: 'leavers-died',
    mistake:
      'a new owner counts a death of a member that got the partition while leaving, and handled nothing',
    edits: [
      core(
        'member/partition/takeover',
        'takeover.died?.includes(older.epoch) === true',
        '(takeover.died ?? []).length > 0',
      ),
    ],
  },
  {
    name: 'deaths-uncounted',
    mistake: 'a new owner does not count the death of the previous owner',
    edits: [
      core(
        'member/partition/takeover',
        'crashesAt(older ?? {}, died, ports.maxCrashes)',
        'crashesAt(older ?? {}, died && older?.epoch === -1, ports.maxCrashes)',
      ),
    ],
  },
  {
    name: 'trial-unrecorded',
    mistake: 'a cautious owner does not record the message that it tries',
    edits: [
      core(
        'member/partition/caution',
        'const isRecorded = await trying(sequence);',
        'const isRecorded = sequence > 0 || (await trying(sequence));',
      ),
    ],
  },
  {
    name: 'caution-lost',
    mistake: 'an owner that starts again while deaths count is not cautious any more',
    shownBy: {
      file: 'test/unit/crashes.test.ts',
      title:
        'an owner that starts again is cautious again, even after a message that was handled but not committed',
    },
    edits: [
      core(
        'member/partition/after-deaths',
        'resumed === sequence ? crashes : carriedOver(crashes, sequence, maxCrashes)',
        'resumed === sequence ? crashes : carriedOver({}, sequence, maxCrashes)',
      ),
    ],
  },
  {
    name: 'next-one-blamed',
    mistake: 'the message after the position is blamed, whichever message the owners tried',
    edits: [
      core('member/partition/caution', 'if (sequence === suspect && crashes', 'if (suspect !== 0 && crashes'),
    ],
  },
  {
    name: 'handover-before-commit',
    mistake: 'a partition is handed over without a commit of its handled messages',
    edits: [
      core(
        'member/partition/taking',
        '(await this.#committer?.flush(deadline - clock.now())) ?? false',
        'false',
      ),
    ],
  },
  {
    name: 'handover-before-end',
    mistake: 'a partition is handed over while a handler still runs',
    edits: [
      core(
        'member/partition/runner',
        'if (!(await this.#work.settles(this.#settings.drainTimeoutMs))) {',
        'if (this.#isEnded()) {',
      ),
    ],
  },
  {
    name: 'commit-received',
    mistake: 'the position follows received messages instead of handled messages',
    edits: [
      core(
        'member/partition/runner',
        'this.#committer?.handled(message, messages,',
        'this.#committer?.handled({ timestampMs: message.timestampMs, sequence: Math.max(message.sequence, this.#reader?.received ?? 0) }, messages,',
      ),
    ],
  },
  {
    name: 'reader-skips',
    mistake: 'a reader that replaces a faulty reader starts one message too late',
    edits: [
      core(
        'member/partition/partition-reader',
        'else await this.open();',
        'else {\n      this.#latest.resumedAt(this.received + 1);\n      await this.open();\n    }',
      ),
    ],
  },
  {
    name: 'repeat-in-epoch',
    mistake: 'a restart under the same epoch repeats handled messages that are not committed',
    edits: [
      core(
        'member/engine/runners',
        'const before = this.#ended.of(partition, epoch);',
        'const before = this.#ended.of(partition, -1);',
      ),
    ],
  },
  {
    name: 'no-waiting-for-leftovers',
    mistake: 'a partition restarts while an earlier handler still runs',
    edits: [
      core(
        'member/engine/runners',
        'void runner.start(this.#ended.settled(partition));',
        'void runner.start(Promise.resolve());',
      ),
    ],
  },
];
