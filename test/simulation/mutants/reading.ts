import { core, type Mutant } from './mutant.js';

/** Mistakes about what waits in memory: readers and their windows, turns, handlers side by side. */
export const READING: readonly Mutant[] = [
  {
    name: 'fresh-window',
    mistake: 'a reader that replaces another gets a window of its own beside what still waits',
    edits: [
      core('member/partition/partition-reader', 'opened.reader.start(waiting());', 'opened.reader.start(0);'),
    ],
  },
  {
    name: 'silence-unasked',
    mistake: 'a server that nobody has asked anything counts as silent',
    edits: [
      core(
        'nats/jetstream/pull',
        'if (this.#heard || !this.#demand.isWaiting) heardAt',
        'if (this.#heard) heardAt',
      ),
    ],
  },
  {
    name: 'owed-for-ever',
    mistake: 'what an expired request has not brought still counts as asked for',
    edits: [core('nats/jetstream/pull-budget', 'this.#owed -= unserved;', 'this.#owed -= unserved * 0;')],
  },
  {
    name: 'commit-behind-reader',
    mistake: 'what was handled before a restart is committed only when the reader of before is gone',
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
    mistake: 'a deletion that is refused for good is tried for ever',
    edits: [
      core(
        'nats/jetstream/event-stream',
        "{ kind: 'failed', error: toNatspocError(error, `delete reader",
        "{ kind: 'unknown', error: toNatspocError(error, `delete reader",
      ),
    ],
  },
  {
    name: 'names-that-repeat',
    mistake: 'the names of readers are made of the group, the partition and the epoch only',
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
    mistake: 'a message without the payload that its header speaks of is taken as it comes',
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
    mistake: 'what a reader delivers counts as of its partition, whatever its subject',
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
    mistake: 'a reader that brings nothing is taken for an idle one, whatever somebody has made of it',
    edits: [core('nats/jetstream/changed-reader', 'filters[0] !== subject', "filters[0] === ''")],
  },
  {
    name: 'quiet-theft',
    mistake: 'a reader that brings nothing is taken for an idle one, though somebody else has pulled from it',
    edits: [
      core(
        'member/partition/partition-reader',
        'state.delivered <= reader.delivered',
        'state.delivered >= 0',
      ),
    ],
  },
  {
    name: 'limit-is-the-end',
    mistake: 'a member ends where a limit of consumers refuses it a reader',
    edits: [core('nats/jetstream/event-stream', 'if (isLimit(error))', 'if (!error)')],
  },
  {
    name: 'first-in-line',
    mistake: 'who has used up a turn gets the next one as well',
    edits: [
      core(
        'member/partition/time-slice',
        '[...queue.slice(i + 1), ...this.#waiting]',
        '[...this.#waiting, ...queue.slice(i + 1)]',
      ),
    ],
  },
  {
    name: 'endless-turn',
    mistake: 'a backlog of handlers that compute is not cut into turns',
    edits: [
      core(
        'member/partition/time-slice',
        'return now < this.#until;',
        'return now < Number.POSITIVE_INFINITY;',
      ),
    ],
  },
  {
    name: 'keys-ignored',
    mistake: 'with a concurrency above 1 messages of one key are handled side by side',
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
    mistake: 'with a concurrency above 1 the position follows what was handled last, past what still runs',
    edits: [
      core(
        'member/partition/key-queues',
        'if (entry !== this.#oldest) return undefined;',
        'if (entry !== this.#oldest) return { sequence: entry.message.sequence, messages: 0 };',
      ),
    ],
  },
  {
    name: 'beyond-bound',
    mistake: 'as many handlers of a partition run side by side as it has keys',
    edits: [core('member/partition/work', ' && this.#running.size < this.#concurrency', '')],
  },
  {
    name: 'seam-skips',
    mistake: 'partitions join the head before the catch-up reader has come as far',
    edits: [
      core(
        'member/shared/shared-stream',
        'if (reader.covered >= this.#head.covered) reader.handOver',
        'if (reader.covered >= this.#head.covered - 3) reader.handOver',
      ),
    ],
  },
  {
    name: 'seam-repeats',
    mistake: 'what comes before the next sequence of a partition is not passed over',
    edits: [core('member/shared/shared-reader', 'lane && sequence >= lane.next &&', 'lane &&')],
  },
  {
    name: 'passes-queue',
    mistake: 'the position of a partition follows its reader though messages wait in memory',
    edits: [
      core(
        'member/partition/runner',
        'const coverage = this.#work.waiting === 0 ?',
        'const coverage = this.#work.waiting >= 0 ?',
      ),
    ],
  },
  {
    name: 'full-and-forgotten',
    mistake: 'the message that a full partition is left behind with is not read again',
    edits: [core('member/shared/shared-reader', 'lane.next = sequence;', 'lane.next = sequence + 1;')],
  },
  {
    name: 'idle-runs-ahead',
    mistake: 'a partition that was left behind counts as read as far as the reader that left it',
    edits: [core('member/shared/lane', '    this.reader = undefined;\n    this.#enough', '    this.#enough')],
  },
  {
    name: 'unconfirmed',
    mistake: 'what a shared reader delivered is committed though another client has changed the reader',
    edits: [
      core(
        'member/partition/committer',
        'await stream?.shared?.confirm(this.#partition);',
        'undefined as string | undefined;',
      ),
    ],
  },
  {
    name: 'ended-unconfirmed',
    mistake:
      'a shared reader that has ended is not looked at any more, though what it delivered is not committed yet',
    edits: [
      core('member/shared/shared-stream', 'if (reader.isUnconfirmed) this.#unconfirmed.push(reader);', ''),
    ],
  },
  {
    name: 'doubt-forgotten',
    mistake: 'a partition without a lane does not learn that its shared reader was changed',
    edits: [core('member/shared/shared-stream', 'this.#doubts.set(partition, { behind, reason });', '')],
  },
  {
    name: 'unsettled-jump',
    mistake:
      'a shared reader that ends does not look into what it has passed over, so that a loss is not told',
    edits: [
      core(
        'member/partition/stream-losses',
        'if (this.isUnsettled) await this.#look(this.#ports.reading().waiting, true);',
        '',
      ),
    ],
  },
];
