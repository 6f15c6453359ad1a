import { core, type Mutant } from './mutant.js';

/** Mistakes about buffered messages: readers, windows, time slices, parallel handlers. */
export const READING: readonly Mutant[] = [
  {
    name: 'followed-in-doubt',
    mistake: 'a partition that only followed a changed reader commits the progress of that reader',
    shownBy: {
      file: 'test/unit/shared-stream.test.ts',
      title:
        'if a reader was changed, the shared stream restarts a partition that the reader served, even if the partition received nothing from it',
    },
    edits: [
      core('member/shared/shared-stream', 'Math.max(startSequence - 1, handledUpTo)', '(startSequence - 1)'),
    ],
  },
  {
    name: 'search-lost',
    mistake: 'a runner that is aborted before its takeover forgets a gap that its predecessor noticed',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title:
        'a runner leaves the state of its predecessor to the next runner if it is aborted before it has taken over',
    },
    edits: [
      core('member/partition/taking', 'this.#trimWatch?.state ?? before?.state', 'this.#trimWatch?.state'),
    ],
  },
  {
    name: 'fresh-window',
    mistake: 'a replacement reader gets a full window in addition to the messages in memory',
    edits: [
      core(
        'member/partition/partition-reader',
        'opened.reader.start(progress.waiting());',
        'opened.reader.start(0);',
      ),
    ],
  },
  {
    name: 'silence-unasked',
    mistake: 'a server without a pending request counts as silent',
    edits: [
      core(
        'nats/jetstream/silence-watch',
        'if (this.#heard || !this.#events.isWaiting()) this',
        'if (this.#heard) this',
      ),
    ],
  },
  {
    name: 'owed-for-ever',
    mistake: 'undelivered messages of an expired request still count as requested',
    edits: [core('nats/jetstream/pull-budget', 'this.#owed -= unserved;', 'this.#owed -= unserved * 0;')],
  },
  {
    name: 'commit-behind-reader',
    mistake: 'messages handled before a restart are committed only after the old reader is deleted',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title:
        'a runner commits the messages that the previous runner handled, even if the old reader cannot be deleted in time',
    },
    edits: [
      core('member/partition/takeover', '  held(taken);\n', ''),
      core(
        'member/partition/takeover',
        "  if (fit.kind === 'misfit') return",
        "  if (fit.kind !== 'misfit') held(taken);\n  if (fit.kind === 'misfit') return",
      ),
    ],
  },
  {
    name: 'refused-deletion',
    mistake: 'a permanently refused deletion is retried forever',
    shownBy: {
      file: 'test/unit/event-stream.test.ts',
      title:
        'a refused deletion of a reader fails for good, and a deletion without an answer has an unknown outcome',
    },
    edits: [
      core(
        'nats/jetstream/event-stream',
        'return this.#withoutAnswer(error, `delete reader',
        "return { kind: 'unknown' };\n      return this.#withoutAnswer(error, `delete reader",
      ),
    ],
  },
  {
    name: 'names-that-repeat',
    mistake: 'reader names contain only group, partition and epoch',
    edits: [
      core(
        'member/partition/reader-token',
        "randomBytes(TOKEN_BYTES).toString('hex')",
        "'ab'.repeat(TOKEN_BYTES)",
      ),
    ],
  },
  {
    name: 'payload-missing',
    mistake: 'a message with a missing payload is handled',
    edits: [
      core(
        'nats/jetstream/expectation',
        'Number(headers?.last(SIZE_HEADER)) > 0',
        'Number(headers?.last(SIZE_HEADER)) < 0',
      ),
    ],
  },
  {
    name: 'foreign-subject',
    mistake: 'deliveries count for the partition, whatever their subject',
    edits: [
      core(
        'nats/jetstream/expectation',
        'this.#isWanted?.(message.subject) === false',
        "message.subject === ''",
      ),
    ],
  },
  {
    name: 'quiet-change',
    mistake: 'a silent reader is taken for idle, although another client changed it',
    edits: [core('nats/jetstream/changed-reader', 'filters[0] !== subject', "filters[0] === ''")],
  },
  {
    name: 'quiet-theft',
    mistake: 'a silent reader is taken for idle, although another client pulled from it',
    shownBy: {
      file: 'test/integration/changed-reader.test.ts',
      title: 'a message is still handled if another client has pulled it from the reader',
    },
    edits: [
      core('member/partition/reader-looks', 'state.delivered <= reader.delivered', 'state.delivered >= 0'),
    ],
  },
  {
    name: 'limit-is-the-end',
    mistake: 'a member ends if a limit of consumers refuses its reader',
    edits: [core('nats/jetstream/event-stream', 'if (isLimit(error))', 'if (!error)')],
  },
  {
    name: 'first-in-line',
    mistake: 'a partition that has used up its time slice gets the next time slice, too',
    edits: [
      core(
        'member/partition/time-slice',
        'this.#users.has(resume) ? this.#behind : this.#waiting',
        'this.#waiting',
      ),
      core(
        'member/partition/time-slice',
        '[...queue.slice(i + 1), ...this.#waiting]',
        '[...this.#waiting, ...queue.slice(i + 1)]',
      ),
    ],
  },
  {
    name: 'endless-turn',
    mistake: 'computing handlers are not limited to time slices',
    edits: [
      core(
        'member/partition/time-slice',
        'now >= this.#until) return false;',
        'now >= Number.POSITIVE_INFINITY) return false;',
      ),
    ],
  },
  {
    name: 'keys-ignored',
    mistake: 'with a concurrency above 1, messages of one key are handled in parallel',
    edits: [
      core(
        'member/partition/key-queues',
        'this.#byKey ? message.key : null',
        'this.#byKey ? String(message.sequence) : null',
      ),
    ],
  },
  {
    name: 'gap-passed',
    mistake: 'with a concurrency above 1, the position passes running messages',
    edits: [
      core(
        'member/partition/key-queues',
        'if (entry !== this.#oldest) return undefined;',
        'if (entry !== this.#oldest) return { message: entry.message, messages: 0 };',
      ),
    ],
  },
  {
    name: 'beyond-bound',
    mistake: 'the handlers of all keys of a partition run in parallel',
    edits: [core('member/partition/work', ' && this.#calls.size < this.#limit', '')],
  },
  {
    name: 'seam-skips',
    mistake: 'partitions join the head before the catch-up reader has reached it',
    edits: [
      core(
        'member/shared/shared-stream',
        'if (reader.covered >= this.#head.covered) reader.handOver',
        'if (reader.covered >= this.#head.covered - 3) reader.handOver',
      ),
    ],
  },
  {
    name: 'late-request',
    mistake:
      'a reader whose process was stopped takes a gap of dropped messages for messages of other partitions',
    shownBy: {
      file: 'test/integration/pull.test.ts',
      title:
        'a reader whose process was stopped does not trust that a request was pending before the last messages',
    },
    edits: [core('nats/jetstream/reader-rests', 'if (isLate) this.#last', 'if (waited < 0) this.#last')],
  },
  {
    name: 'room-kept',
    mistake: 'a shared reader keeps the room of passed-over messages, although it requests nothing more',
    edits: [
      core(
        'member/shared/window-room',
        'if (this.#passed >= this.#lot || !hasMore || this.#ports.isResting()) this.#giveBack(0);',
        'if (this.#passed >= this.#lot || !hasMore) {\n      this.#ports.giveBack(this.#passed);\n      this.#passed = 0;\n    }',
      ),
      core('member/shared/window-room', 'released + this.#passed;\n    this.#passed = 0;', 'released;'),
    ],
  },
  {
    name: 'rest-unnoticed',
    mistake:
      'a shared reader keeps the room of passed-over messages if its last request ends without all of its messages',
    edits: [core('nats/jetstream/pull', 'this.#sink.rests?.()', 'this.#open = true')],
  },
  {
    name: 'old-count-trusted',
    mistake:
      'a reader trusts the number of waiting messages of an old server, which does not fall if the stream drops messages',
    needs: ['trimming'],
    edits: [core('nats/jetstream/reader-rests', 'waited > 0 ? this.#busyRest : undefined', 'undefined')],
  },
  {
    name: 'fell-forgotten',
    mistake: 'messages that disappeared are not reported if the stream also dropped later messages',
    needs: ['trimming'],
    shownBy: {
      file: 'test/unit/stream-losses.test.ts',
      title: 'messages that disappeared are reported together with later messages that the stream dropped',
    },
    edits: [core('member/partition/loss-judgement', 'Math.max(passed, fell)', 'passed')],
  },
  {
    name: 'seam-repeats',
    mistake: 'messages before the next sequence of a partition are not ignored',
    edits: [core('member/shared/served-lanes', 'message.sequence < lane.next || lane.passes', 'lane.passes')],
  },
  {
    name: 'passes-queue',
    mistake: 'the position of a partition follows its reader while messages wait in memory',
    edits: [
      core(
        'member/partition/runner',
        '(this.#work.waiting === 0 ? this.#reader?.coverage : undefined)',
        '(this.#work.waiting >= 0 ? this.#reader?.coverage : undefined)',
      ),
    ],
  },
  {
    name: 'full-and-forgotten',
    mistake: 'the message at which a full partition is left behind is not read again',
    edits: [
      core(
        'member/shared/served-lanes',
        'lane.next = message.sequence;',
        'lane.next = message.sequence + 1;',
      ),
    ],
  },
  {
    name: 'idle-runs-ahead',
    mistake: 'a partition that was left behind counts as read up to the head',
    edits: [core('member/shared/lane', '    this.reader = undefined;\n    this.#enough', '    this.#enough')],
  },
  {
    name: 'unconfirmed',
    mistake: 'deliveries of a changed shared reader are committed',
    edits: [
      core(
        'member/partition/taking',
        'return () => shared.confirm(this.#takeover.partition, isUrgent());',
        "return async () => 'confirmed';",
      ),
    ],
  },
  {
    name: 'ended-unconfirmed',
    mistake: 'an ended shared reader is not checked, although its deliveries are not committed yet',
    edits: [
      core('member/shared/reader-doubts', 'if (reader.isUnconfirmed) this.#unconfirmed.push(reader);', ''),
    ],
  },
  {
    name: 'removed-unconfirmed',
    mistake: 'a shared reader is removed before it was checked a last time, so that nothing shows a change',
    shownBy: {
      file: 'test/unit/shared-stream.test.ts',
      title:
        'the shared stream reports a changed reader to a partition even after the reader was lost and replaced',
    },
    edits: [core('member/shared/change-looks', 'tries < LAST_LOOKS', 'tries < 0')],
  },
  {
    name: 'unanswered-commit',
    mistake:
      'deliveries are committed although the server has not shown whether their shared reader was changed',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title:
        'messages of a shared reader are committed only after the server has shown that the reader was not changed',
    },
    edits: [core('member/partition/position-writer', "if (reading === 'unknown') return this.#later();", '')],
  },
  {
    name: 'doubt-forgotten',
    mistake: 'a partition without a lane does not learn that its shared reader was changed',
    edits: [
      core(
        'member/shared/reader-doubts',
        'this.#doubts.set(partition, { behind, reason });',
        'void [partition, behind, reason];',
      ),
    ],
  },
  {
    name: 'long-jump-forgotten',
    mistake:
      'messages that waited for long and were passed over do not count as lost if the stream also dropped later messages',
    shownBy: {
      file: 'test/unit/stream-losses.test.ts',
      title:
        'a jump after which messages may have waited for long is reported, even if the stream begins after it',
    },
    edits: [core('member/partition/loss-judgement', '(first <= to || isLong)', 'first <= to')],
  },
  {
    name: 'unsettled-jump',
    mistake:
      'a reader does not investigate the messages that it passed over before a commit, so a loss stays unreported',
    edits: [
      core(
        'member/partition/stream-losses',
        'return !isSign(this.#signs) || this.#look(() => this.#ports.reading().waiting, true);',
        'return true;',
      ),
    ],
  },
  {
    name: 'unconfirmed-gap',
    mistake: 'the reader of one partition commits messages after a gap before the gap was investigated',
    shownBy: {
      file: 'test/unit/runner.test.ts',
      title:
        'a runner commits nothing beyond a gap before it has investigated the gap, and then commits the loss with the position',
    },
    edits: [
      core(
        'member/partition/taking',
        "(await this.#trimWatch?.settle()) === false ? 'unknown' : 'confirmed'",
        "this.#trimWatch ? 'confirmed' : 'unknown'",
      ),
    ],
  },
  {
    name: 'unread-passed',
    mistake: 'the position of an idle partition passes a message that is stored but not received',
    shownBy: {
      file: 'test/unit/coverage-proof.test.ts',
      title: 'nothing is proved while a message of the partition is not received',
    },
    edits: [core('member/partition/coverage-proof', ' newest > idleFrom ||', '')],
  },
  {
    name: 'idle-left-behind',
    mistake:
      'the position of an idle partition stays where it is while the stream drops the messages after it',
    edits: [core('member/partition/coverage-proof', 'return isOld || proved', 'return proved < 0 && proved')],
  },
  {
    name: 'count-forgotten',
    mistake:
      'the server does not count the waiting messages while handlers are busy, so a loss is counted too low',
    shownBy: {
      file: 'test/unit/stream-losses.test.ts',
      title: 'the server counts the waiting messages every 2 s, and a fall of their number is a loss',
    },
    edits: [
      core(
        'member/partition/stream-losses',
        'if (!(await recount()) || this.#stopped) return false;',
        'if (recount) return false;',
      ),
    ],
  },
  {
    name: 'loss-kept',
    mistake: 'the position stays before a reported loss, so each later owner reports the loss again',
    shownBy: {
      file: 'test/unit/stream-losses.test.ts',
      title: 'the position may pass a reported loss',
    },
    edits: [
      core(
        'member/partition/settled-mark',
        'this.#passedTo = Math.max(this.#passedTo, Math.min(this.#to, first - 1));',
        '',
      ),
    ],
  },
  {
    name: 'soundness-assumed',
    mistake:
      'a fall of the waiting messages is ignored if the messages that were received meanwhile are settled',
    shownBy: {
      file: 'test/unit/loss-judgement.test.ts',
      title:
        'a fall of the waiting messages may show a loss before sequences that were received and settled meanwhile',
    },
    edits: [core('member/partition/loss-judgement', 'first > soundTo + 1', 'first > settledTo + 1')],
  },
];
