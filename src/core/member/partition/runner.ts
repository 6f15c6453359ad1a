import { messageOf, type NatspocError } from '../../lib/errors.js';
import type { ReaderWindow } from '../../ports/index.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import { handleAfterDeaths } from './after-deaths.js';
import type { Committer } from './committer.js';
import type { RunnerActivity, RunnerPorts, RunnerSettings, RunnerStatus } from './contract.js';
import { Following } from './following.js';
import { StopConsuming } from './handler.js';
import { ABORT_GRACE_MS } from './handler-timeout.js';
import type { PartitionReader } from './partition-reader.js';
import type { LossesLeft, Taken, Takeover } from './takeover.js';
import { Taking } from './taking.js';
import { PartitionWork } from './work.js';
import type { Halt } from './work-contract.js';

/**
 * One partition under one epoch: takes over the position, reads, handles messages, and commits. The runner ends by `drain`, by
 * `abort`, or with one of its events.
 */
export class PartitionRunner {
  readonly #takeover: Takeover;
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #work: PartitionWork;
  #window: ReaderWindow;
  #reader: PartitionReader | undefined;
  readonly #taking: Taking;
  #committer: Committer | undefined;
  /** If a handler succeeded after the end of this runner, all messages up to this sequence are handled. Otherwise 0. */
  #handledLate = 0;
  #caughtUp = false;
  /** True if messages may be missing. Messages handled since the last commit then do not count as handled. */
  #isMistrusted = false;
  readonly #following: Following;
  #phase: 'running' | 'draining' | 'ended' = 'running';

  constructor(takeover: Takeover, window: ReaderWindow, settings: RunnerSettings, ports: RunnerPorts) {
    this.#takeover = takeover;
    this.#window = window;
    this.#settings = settings;
    this.#ports = ports;
    const { partition, epoch } = takeover;
    const { logger, state } = ports;
    this.#work = new PartitionWork({ partition, epoch, logger, state }, settings, ports, {
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
      async () => this.#reader?.cover(),
    );
    this.#taking = new Taking(takeover, settings, ports, {
      phase: () => this.#phase,
      held: (committer, taken) => this.#held(committer, taken),
      failed: (message) => this.#fail(message),
      mistrusted: (reason) => this.#mistrust(reason),
      lost: () => this.#following.now(),
      unreadable: (message) => this.#halted(message),
      terminal: (error) => this.#terminal(error),
      unsafe: (error) => void this.#halt({ kind: 'stopped', error }),
    });
  }

  /** See {@link Taking.isCertain}. */
  get isCertain(): boolean {
    return this.#taking.isCertain;
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
      trimmed: this.#taking.trimmed,
      caughtUp: this.#caughtUp || this.#isCaughtUp(),
      state: this.#phase === 'running' ? reading : 'draining',
    };
  }

  /** See {@link Taking.losses}. */
  get losses(): LossesLeft {
    return this.#taking.losses;
  }

  /** Once `after` has resolved, takes over the partition and starts to handle it. */
  async start(after: Promise<void>): Promise<void> {
    const taken = await this.#taking.start(after);
    if (!taken || this.#phase !== 'running') return;
    this.#committer?.madeOn(taken.mark.created);
    if (!(await this.#acquire()) || this.#phase !== 'running') return;
    this.#reader = this.#taking.reader(taken, this.#window, () => this.#work.waiting, {
      message: (message) => this.#work.accept(message),
      rests: () => this.#work.tellStarving(),
      opened: () => void this.#isCaughtUp(),
    });
    if (!(await this.#reader.open()) || this.#isEnded()) return;
    this.#ports.events.started();
    this.#following.start();
    await this.#reader.watchTrimming();
  }

  /** Sets the limit on messages in memory. */
  resize(window: ReaderWindow): void {
    this.#window = window;
    this.#reader?.resize(window);
  }

  /**
   * Stops taking messages, lets running handlers finish, and commits. If this runner has not started yet, it commits what the previous
   * runner handled under this epoch. If a handler exceeds the drain timeout, its signal is aborted. The next owner starts at the last
   * committed position.
   */
  async drain(): Promise<void> {
    if (await this.#finish()) this.#end('drained');
  }

  /** Like {@link drain}, but does not end the runner. Returns false if the runner was aborted before the drain was complete. */
  async #finish(): Promise<boolean> {
    if (this.#phase === 'ended') return false;
    this.#phase = 'draining';
    const { clock, stream } = this.#ports;
    // A commit may be waiting for a check of the shared reader. After an urgent check, it is sent sooner.
    void stream.shared?.confirm(this.#takeover.partition, true);
    const endsAt = clock.now() + this.#settings.drainTimeoutMs;
    this.#following.now();
    this.#following.stop();
    this.#reader?.close();
    this.#work.close();
    if (!(await this.#work.settles(this.#settings.drainTimeoutMs))) {
      this.#work.interrupt('the drain takes too long');
      if (!(await this.#work.settles(ABORT_GRACE_MS)) && !this.#isEnded())
        this.#ports.events.overdue?.(this.#work.running.map(({ sequence }) => sequence));
    }
    if (this.#isEnded()) return false;
    const releasedBy = Math.max(endsAt, clock.now() + ABORT_GRACE_MS);
    const isReleased = await this.#ports.state?.release(releasedBy, clock);
    // If the release failed, effects since the last commit may be lost with the state. Nothing more is committed then.
    if (isReleased === false) this.#committer?.end();
    else await this.#taking.commitLast();
    if (this.#isEnded()) return false;
    const { position: upTo, committed: after } = this.status;
    if (upTo > after) this.#ports.events.uncommitted?.({ after, upTo });
    return true;
  }

  /** Waits until the program has acquired its state. Resolves with false if `acquire` failed; the failure is reported. */
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

  /**
   * Stops immediately. Aborts handlers, and commits nothing more. Resolves when the handlers have ended, or after the drain timeout.
   */
  async abort(reason: string): Promise<void> {
    this.#end(reason);
    await this.#work.settles(this.#settings.drainTimeoutMs);
  }

  /** The current activity in the partition. */
  get activity(): RunnerActivity {
    return {
      running: this.#work.running,
      held: this.#work.held,
      acquiring: this.#ports.state?.isPending ?? false,
      failing: this.#phase === 'running' ? this.#work.holdUp : undefined,
    };
  }

  /** The details of an unsettled message that failed; undefined if there is none. */
  failing(sequence: number): HoldUp | undefined {
    return this.#work.failing(sequence);
  }

  /** Tries failed messages now. */
  retryNow(): void {
    this.#work.retryNow();
  }

  /** Declares the running call of a message failed, and aborts its signal. */
  failNow(sequence: number, error: Error): void {
    this.#work.failNow(sequence, error);
  }

  /** Checks that the position still exists, and that the stream still fits the position. If the check fails, the runner fails. */
  look(): void {
    void this.#reader?.look();
    void this.#committer?.look();
  }

  /**
   * Aborts running handlers because the member could not renew. The messages of aborted handlers are retried, and do not count as
   * failed.
   */
  interrupt(): void {
    this.#work.interrupt('the member could not renew in time');
  }

  /** True if no messages wait in memory or on the server, as of the last delivery. */
  #isCaughtUp(): boolean {
    const caughtUp = this.#work.waiting === 0 && this.#reader?.pending === 0;
    if (caughtUp) this.#caughtUp = true;
    return caughtUp;
  }

  #isEnded(): boolean {
    return this.#phase === 'ended';
  }

  /**
   * Ends the runner, unless it has ended already. `last` reports the runner's last event. After the end, the parts of the runner report no
   * events.
   */
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

  /** Fails, and makes the next runner start at the committed position. */
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

  #held(committer: Committer, taken: Taken): void {
    this.#committer = committer;
    const { alone, permit, events } = this.#ports;
    const deaths = handleAfterDeaths(this.#work, committer, taken, this.#settings.maxCrashes, {
      alone,
      permit,
      isCaughtUp: () => this.#isCaughtUp(),
    });
    if (deaths !== undefined) events.cautious?.(deaths, taken.sequence);
  }

  /** Commits the messages before the failed message. */
  async #halt(halt: Halt): Promise<void> {
    if (this.#phase !== 'running') return;
    if (await this.#finish()) {
      if (halt.kind === 'halted') this.#halted(halt.message, halt.held);
      else this.#halted(halt.error.message);
    }
    // The member must stop even if this partition was aborted in the meantime.
    if (halt.kind === 'stopped') this.#ports.events.stopped?.(halt.error);
  }
}
