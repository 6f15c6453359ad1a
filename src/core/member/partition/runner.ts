import { messageOf, type NatspocError } from '../../lib/errors.js';
import type { ReaderWindow, Trimmed } from '../../ports/index.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import { handleAfterDeaths } from './after-deaths.js';
import type { Committer } from './committer.js';
import type { RunnerActivity, RunnerPorts, RunnerSettings, RunnerStatus } from './contract.js';
import { Following } from './following.js';
import { StopConsuming } from './handler.js';
import { ABORT_GRACE_MS } from './handler-timeout.js';
import type { PartitionReader } from './partition-reader.js';
import { readAfter } from './read-after.js';
import type { TrimWatch } from './stream-losses.js';
import { continues, type LossesLeft, type Taken, type Takeover } from './takeover.js';
import { Taking } from './taking.js';
import { PartitionWork } from './work.js';
import type { Halt } from './work-contract.js';

/**
 * How long the last commit of a drain may take: longer than a cluster needs to elect a leader of the bucket. The lease
 * has to wait for the leader as well. An owner that gets the partition earlier starts at the last commit.
 */
const FLUSH_MS = 15_000;

/**
 * One partition under one epoch: takes over the position, reads, handles messages, and commits. Ends by `drain`, by
 * `abort`, or with one of its events.
 */
export class PartitionRunner {
  readonly #takeover: Takeover;
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #work: PartitionWork;
  #window: ReaderWindow;
  #reader: PartitionReader | undefined;
  /** Resolves when the previous runner of the partition has ended. */
  #after: Promise<void> = Promise.resolve();
  readonly #taking: Taking;
  #committer: Committer | undefined;
  #trimWatch: TrimWatch | undefined;
  #trimmed = 0;
  /** Set by handlers that succeed after this runner has ended: the sequence up to which all messages are then handled; 0 if none. */
  #handledLate = 0;
  #caughtUp = false;
  /** True if uncommitted messages do not count as handled, because messages before them may be missing. */
  #isMistrusted = false;
  readonly #following: Following;
  #isCertain = false;
  #phase: 'running' | 'draining' | 'ended' = 'running';

  constructor(takeover: Takeover, window: ReaderWindow, settings: RunnerSettings, ports: RunnerPorts) {
    this.#takeover = takeover;
    this.#window = window;
    this.#settings = settings;
    this.#ports = ports;
    const scope = {
      partition: takeover.partition,
      epoch: takeover.epoch,
      logger: ports.logger,
      state: ports.state,
    };
    this.#work = new PartitionWork(scope, settings, ports, {
      advanced: (message, messages) => {
        if (this.#phase === 'ended') this.#handledLate = message.sequence;
        else {
          this.#reader?.release(messages);
          this.#committer?.handled(message, messages, this.#isCaughtUp());
        }
      },
      starving: () => this.#reader?.starve(),
      halting: (halt) => void this.#halt(halt),
    });
    this.#following = new Following(
      ports.clock,
      () => (this.#work.waiting === 0 ? this.#reader?.coverage : undefined),
      (coverage) => this.#committer?.follow(coverage),
    );
    this.#taking = new Taking(takeover, settings, ports, {
      phase: () => this.#phase,
      held: (committer, taken, trimWatch) => this.#held(committer, taken, trimWatch),
      reading: () => this.#reader && { received: this.#reader.received, waiting: this.#reader.pending ?? 0 },
      trimmed: (trimmed) => this.#lose(trimmed),
      failed: (message) => this.#fail(message),
      mistrusted: (reason) => this.#mistrust(reason),
      unreadable: (message) => this.#halted(message),
      terminal: (error) => this.#terminal(error),
      unsafe: (error) => void this.#halt({ kind: 'stopped', error }),
    });
  }

  /**
   * True if the drain has committed: the stored position is the one in {@link status}, unless it was moved
   * since.
   */
  get isCertain(): boolean {
    return this.#isCertain;
  }

  get status(): RunnerStatus {
    const before = this.#takeover.before?.status;
    const pending = this.#reader?.pending;
    const committed = this.#committer?.committed ?? before?.committed ?? 0;
    const reading = pending !== undefined ? 'running' : this.#reader?.isFailing ? 'waiting' : 'starting';
    return {
      covered: this.#work.waiting === 0 ? (this.#reader?.coverage?.sequence ?? 0) : 0,
      position: this.#isMistrusted
        ? committed
        : Math.max(this.#handledLate, this.#committer?.handledUpTo ?? before?.position ?? 0),
      committed,
      mark: this.#committer?.mark ?? before?.mark,
      handled: this.#work.handled,
      lag: this.#work.waiting + (this.#reader?.lag ?? 0),
      oldestAtMs: this.#work.oldestAtMs,
      trimmed: this.#trimmed,
      caughtUp: this.#caughtUp || this.#isCaughtUp(),
      state: this.#phase === 'running' ? reading : 'draining',
    };
  }

  /** What is left of the search for losses: of its own search, or of its predecessor's if it took nothing over. */
  get losses(): LossesLeft {
    const before = this.#takeover.before?.losses;
    return {
      state: this.#trimWatch?.state ?? before?.state,
      uncounted: this.#committer?.uncounted ?? before?.uncounted ?? 0,
    };
  }

  /** Takes the partition over and starts to handle it, after `after` has resolved. */
  async start(after: Promise<void>): Promise<void> {
    this.#after = after;
    const taken = await this.#taking.start(after);
    if (!taken || this.#phase !== 'running') return;
    this.#committer?.madeOn(taken.mark.created);
    if (!(await this.#acquire()) || this.#phase !== 'running') return;
    this.#reader = this.#newReader(taken);
    if (!(await this.#reader.open()) || this.#isEnded()) return;
    this.#ports.events.started();
    this.#following.start();
    await this.#reader.watchTrimming();
  }

  /** Sets the limit of messages in memory. */
  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#reader?.resize(window);
  }

  /**
   * Stops taking messages, lets running handlers finish, and commits, including what the previous runner handled under
   * this epoch if this runner has not started yet. If a handler exceeds the drain timeout, its signal is aborted, and the
   * partition ends at the last committed position.
   */
  async drain(): Promise<void> {
    if (await this.#finish()) this.#end('drained');
  }

  /** Does what {@link drain} describes. Returns false if the runner was aborted meanwhile. */
  async #finish(): Promise<boolean> {
    if (this.#phase === 'ended') return false;
    this.#phase = 'draining';
    const { clock, stream } = this.#ports;
    // A commit may have begun to wait for this answer: the urgent request speeds it up.
    void stream.shared?.confirm(this.#takeover.partition, true);
    const endsAt = clock.now() + this.#settings.drainTimeoutMs;
    this.#following.now();
    this.#following.stop();
    this.#reader?.close();
    this.#work.close();
    if (!(await this.#work.settles(this.#settings.drainTimeoutMs))) {
      this.#work.interrupt('the drain takes too long');
      if (!(await this.#work.settles(ABORT_GRACE_MS)) && !this.#isEnded())
        this.#ports.events.overdue?.(this.#work.running);
    }
    if (this.#isEnded()) return false;
    const isReleased = await this.#ports.state?.release(
      Math.max(endsAt, clock.now() + ABORT_GRACE_MS),
      clock,
    );
    // If the release failed, effects of messages since the last commit may be lost with the state.
    if (isReleased === false) this.#committer?.end();
    else await this.#commitLast();
    if (this.#isEnded()) return false;
    const { position: upTo, committed: after } = this.status;
    if (upTo > after) this.#ports.events.uncommitted?.({ after, upTo });
    return true;
  }

  /** Waits for the program's state. False if that failed; the failure was then reported. */
  async #acquire(): Promise<boolean> {
    try {
      await this.#ports.state?.acquire();
      return true;
    } catch (error) {
      if (error instanceof StopConsuming) void this.#halt({ kind: 'stopped', error });
      else this.#fail(`acquire failed: ${messageOf(error)}`);
      return false;
    }
  }

  /** Commits what this runner or the previous one handled under this epoch, within {@link FLUSH_MS}. */
  async #commitLast(): Promise<void> {
    const { clock } = this.#ports;
    const deadline = clock.now() + FLUSH_MS;
    await this.#after;
    if (this.#taking.owes) await this.#taking.heldUntil(deadline);
    if (!this.#isEnded()) this.#isCertain = (await this.#committer?.flush(deadline - clock.now())) ?? false;
  }

  /** Stops immediately: aborts handlers, commits nothing more. Resolves when the handlers have ended. */
  async abort(reason: string): Promise<void> {
    this.#end(reason);
    await this.#work.settles(this.#settings.drainTimeoutMs);
  }

  /** What goes on in the partition. */
  get activity(): RunnerActivity {
    return {
      running: this.#work.running,
      held: this.#work.held,
      acquiring: this.#ports.state?.isPending ?? false,
      failing: this.#phase === 'running' ? this.#work.holdUp : undefined,
    };
  }

  /** What is known of a message that failed and is not settled; undefined if there is no such message. */
  failing(sequence: number): HoldUp | undefined {
    return this.#work.failing(sequence);
  }

  /** Tries failed messages now. */
  retryNow(): void {
    this.#work.retryNow();
  }

  /** Checks that its position still exists, and that the stream still fits it. Otherwise the runner fails. */
  look(): void {
    void this.#reader?.look();
    void this.#committer?.look();
  }

  /** Aborts running handlers because the member could not renew. Their messages are retried, not counted as failed. */
  interrupt(): void {
    this.#work.interrupt('the member could not renew in time');
  }

  /** True if no messages wait, here or on the server, as of the last delivery. */
  #isCaughtUp(): boolean {
    const caughtUp = this.#work.waiting === 0 && this.#reader?.pending === 0;
    if (caughtUp) this.#caughtUp = true;
    return caughtUp;
  }

  #isEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** Ends the runner once: its parts report nothing afterwards. `last` reports the last event. */
  #end(reason: string, last?: () => void): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#following.stop();
    this.#reader?.close();
    this.#committer?.end();
    this.#work.abandon(reason);
    last?.();
  }

  #fail(message: string): void {
    this.#end(message, () => this.#ports.events.failed(message));
  }

  /** The next runner starts at the committed position. */
  #mistrust(reason: string): void {
    this.#isMistrusted = true;
    this.#fail(reason);
  }

  #terminal(error: NatspocError): void {
    this.#end(error.message, () => this.#ports.events.terminal(error));
  }

  #halted(message: string, held?: HoldUp): void {
    this.#end(message, () => this.#ports.events.halted(message, held));
  }

  #held(committer: Committer, taken: Taken, trimWatch: TrimWatch | undefined): void {
    const { trimmed, sequence } = taken;
    this.#committer = committer;
    this.#trimWatch = trimWatch;
    const { before } = this.#takeover;
    this.#trimmed = trimmed;
    if (continues(before?.status, sequence)) this.#trimmed += before?.losses?.uncounted ?? 0;
    if (this.#trimmed > trimmed) committer.trimmed(this.#trimmed);
    const { alone, permit, events } = this.#ports;
    const deaths = handleAfterDeaths(this.#work, committer, taken, this.#settings.maxCrashes, {
      alone,
      permit,
      isCaughtUp: () => this.#isCaughtUp(),
    });
    if (deaths !== undefined) events.cautious?.(deaths, sequence);
  }

  #lose(trimmed: Trimmed): void {
    this.#trimmed += trimmed.atMost;
    this.#committer?.trimmed(this.#trimmed);
    this.#ports.events.trimmed?.(trimmed);
  }

  /** Commits the messages before the failed one. The position stays before the failed message. */
  async #halt(halt: Halt): Promise<void> {
    if (this.#phase !== 'running') return;
    if (await this.#finish()) {
      if (halt.kind === 'halted') this.#halted(halt.message, halt.held);
      else this.#halted(halt.error.message);
    }
    // The member has to stop even if this partition was aborted meanwhile.
    if (halt.kind === 'stopped') this.#ports.events.stopped?.(halt.error);
  }

  #newReader(taken: Taken): PartitionReader {
    return readAfter(
      this.#takeover,
      taken,
      this.#window,
      this.#settings,
      this.#ports,
      this.#trimWatch,
      {
        waiting: () => this.#work.waiting,
        handledUpTo: () => this.#committer?.handledUpTo ?? 0,
      },
      {
        message: (message) => this.#work.accept(message),
        opened: () => void this.#isCaughtUp(),
        trimmed: (trimmed) => this.#lose(trimmed),
        failed: (reason) => this.#fail(reason),
        mistrusted: (reason) => this.#mistrust(reason),
        terminal: (error) => this.#terminal(error),
      },
    );
  }
}
