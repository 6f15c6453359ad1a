import { sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Confirmation, Trimmed } from '../../ports/index.js';
import { carriedOver } from '../../protocol/crashes.js';
import { readCleared } from './cleared.js';
import { Committer } from './committer.js';
import type { RunnerPorts, RunnerSettings } from './contract.js';
import type { StopConsuming } from './handler.js';
import { shortLead } from './lead.js';
import { TrimWatch } from './stream-losses.js';
import { continues, type Taken, type Takeover, takeOver } from './takeover.js';

/** Wait before a drain tries again to take the position over. */
const TAKE_RETRY_MS = 250;

/** What {@link Taking} reports to its runner. */
export interface TakingEvents {
  /** `running`: handle the partition; `draining`: only commit the messages that were handled before. */
  phase(): 'running' | 'draining' | 'ended';
  /** The position is ours: commits are possible before there is a reader. */
  held(committer: Committer, taken: Taken, trimWatch: TrimWatch | undefined): void;
  /** The last received sequence, and how many messages wait after it; undefined without a reader. */
  reading(): { received: number; waiting: number } | undefined;
  /** The stream dropped messages before they were received. */
  trimmed(trimmed: Trimmed): void;
  /** A temporary failure. */
  failed(message: string): void;
  /** Messages may be missing before messages that were handled and not committed. */
  mistrusted(reason: string): void;
  /** The position cannot be decoded, and an operator has to act. */
  unreadable(message: string): void;
  /** A failure that no retry can fix. */
  terminal(error: NatspocError): void;
  /** Effects of messages can never become safe. */
  unsafe(error: StopConsuming): void;
}

/** Takes the position of a partition over, and makes its committer. */
export class Taking {
  readonly #takeover: Takeover;
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #events: TakingEvents;
  #committer: Committer | undefined;
  #result: Promise<Taken | undefined> | undefined;
  /** Called when the position is ours, or cannot be obtained. */
  #held: (() => void) | undefined;

  constructor(takeover: Takeover, settings: RunnerSettings, ports: RunnerPorts, events: TakingEvents) {
    this.#takeover = takeover;
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
  }

  /**
   * Starts after `after` has resolved. Resolves with undefined if the takeover failed and reported the failure, or if it
   * is no longer wanted.
   */
  start(after: Promise<void>): Promise<Taken | undefined> {
    this.#result = this.#take(after);
    return this.#result;
  }

  /**
   * True if the previous runner handled more under this epoch than it committed, and this runner has not continued from
   * there yet.
   */
  get owes(): boolean {
    const before = this.#takeover.before?.status;
    return !this.#committer && before !== undefined && before.position > before.committed;
  }

  /** Resolves when the position is ours, or cannot be obtained, or at the deadline. */
  async heldUntil(deadline: number): Promise<void> {
    const { clock } = this.#ports;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(deadline, resolve);
      this.#held = () => {
        cancel();
        resolve();
      };
      void this.#result?.then(this.#held);
    });
  }

  async #take(after: Promise<void>): Promise<Taken | undefined> {
    const { maxCrashes } = this.#settings;
    const ports = { ...this.#ports, maxCrashes, isWanted: () => this.#isWanted };
    await after;
    while (this.#isWanted) {
      const taken = await takeOver(this.#takeover, ports, (position) => this.#hold(position));
      if (!this.#isWanted) return undefined;
      if (taken.kind === 'taken') return taken;
      if (taken.kind === 'unknown' && this.#events.phase() === 'draining') {
        // If all tries fail, the partition moves without the last commit.
        await sleep(this.#ports.clock, TAKE_RETRY_MS);
        continue;
      }
      if (taken.kind === 'failed') this.#events.terminal(taken.error);
      else if (taken.kind === 'unreadable') this.#events.unreadable(taken.message);
      else this.#events.failed(taken.kind === 'fenced' ? 'a newer owner wrote its position' : taken.message);
    }
    return undefined;
  }

  #hold(taken: Taken): void {
    if (!this.#isWanted) return;
    const { partition, epoch, group } = this.#takeover;
    const events = this.#events;
    const trimWatch = this.#watchFor(taken);
    const carried = carriedOver(taken.crashes, taken.sequence, this.#settings.maxCrashes);
    this.#committer = new Committer(
      { group, partition, epoch, ...taken, carried, lead: this.#lead },
      this.#settings.commit,
      { ...this.#ports, confirm: this.#confirming(trimWatch) },
      {
        fenced: () => events.failed('a newer owner has taken over'),
        vanished: () => events.failed('its position is gone'),
        moved: () => events.failed('its position was moved'),
        doubted: (reason) => events.mistrusted(reason),
        failed: (error) => events.terminal(error),
        unsafe: (error) => events.unsafe(error),
      },
    );
    events.held(this.#committer, taken, trimWatch);
    if (taken.resumed > taken.sequence) this.#committer.resume();
    this.#held?.();
  }

  get #lead(): number {
    const { handler } = this.#ports;
    const atOnce = typeof handler === 'function' ? this.#settings.concurrency : handler.limits.messages;
    return shortLead(atOnce ?? 1);
  }

  /** Looks for messages that the stream drops; undefined if the stream's readers report them. */
  #watchFor({ resumed, sequence }: Taken): TrimWatch | undefined {
    const { group, partition, start, before } = this.#takeover;
    const { bucket, clock, stream } = this.#ports;
    if (stream.shared) return undefined;
    // If the group starts here, missing messages are not a loss: they may have been dropped before.
    const lostFrom = start === 'unreadable' || resumed > start.seq ? 0 : (start.end ?? start.seq);
    return new TrimWatch(
      resumed,
      lostFrom,
      {
        clock,
        stream,
        reading: () => this.#events.reading() ?? { received: resumed, waiting: 0 },
        cleared: () => readCleared(bucket, group, partition),
        trimmed: (trimmed) => this.#events.trimmed(trimmed),
      },
      continues(before?.status, sequence) ? before?.losses?.state : undefined,
    );
  }

  /** Keeps the position from passing a loss before the loss is reported. */
  #confirming(trimWatch: TrimWatch | undefined): () => Promise<Confirmation> {
    const { shared } = this.#ports.stream;
    const isUrgent = (): boolean => this.#events.phase() === 'draining';
    if (shared) return () => shared.confirm(this.#takeover.partition, isUrgent());
    return async () => ((await trimWatch?.settle()) === false ? 'unknown' : 'confirmed');
  }

  /** A drain needs the position only if there is something to commit. */
  get #isWanted(): boolean {
    const phase = this.#events.phase();
    return phase === 'running' || (phase === 'draining' && this.owes);
  }
}
