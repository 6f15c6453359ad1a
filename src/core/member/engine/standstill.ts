import { describeHoldUp } from '../../protocol/hold-up.js';
import type { OwnPartition, State } from '../../protocol/state.js';
import type { Timing } from '../../protocol/timing.js';
import type { RunnerActivity, RunnerStatus } from '../partition/contract.js';

/** Missing progress is reported after TOLD_AFTER_MS, and then every TOLD_EVERY_MS. */
const TOLD_AFTER_MS = 10_000;
const TOLD_EVERY_MS = 60_000;

/** A partition that makes no progress; `partition` is null if the whole member makes no progress. */
export interface Standing {
  partition: number | null;
  /** `handler`: the program takes long. For example, its handler is slow, or a message is tried again. `stuck`: there is another reason. */
  why: 'handler' | 'stuck';
  reason: string;
  forMs: number;
}

/** What a partition or member is doing. A changed `mark` shows progress. */
interface Place extends Pick<Standing, 'why' | 'reason'> {
  mark: string;
}

/** How well the bucket answers requests. */
export interface BucketHealth {
  /** Why the server last refused a write, or did not receive it; undefined once a later write has a known outcome. */
  readonly refusal: string | undefined;
  /** How long the last answer took, in milliseconds. */
  readonly answerMs: number;
}

/** The dependencies of {@link Standstill}. */
export interface StandstillPorts {
  state: State;
  bucket: BucketHealth;
  /** The status of a partition of this member, and its current activity. */
  status: (partition: number, epoch: number) => { status: RunnerStatus } & RunnerActivity;
  /** Why a partition could not be started; undefined if there was no failure. */
  failureOf: (partition: number) => string | undefined;
}

/**
 * Detects that a member or one of its partitions makes no progress, and why. Partitions without messages, and halted or paused
 * partitions, are not reported.
 */
export class Standstill {
  readonly #ports: StandstillPorts;
  readonly #since = new Map<number | null, { mark: string; at: number; toldAt: number }>();
  #now: Standing[] = [];

  constructor(ports: StandstillPorts) {
    this.#ports = ports;
  }

  /** Everything that made no progress at the last check. */
  get all(): readonly Standing[] {
    return this.#now;
  }

  /** Checks for progress; to be called about once a second. Returns the reports that are due now. */
  look(now: number): Standing[] {
    const places = this.#places(now);
    for (const about of this.#since.keys()) if (!places.has(about)) this.#since.delete(about);
    this.#now = [];
    const told: Standing[] = [];
    for (const [partition, { mark, why, reason }] of places) {
      let since = this.#since.get(partition);
      if (since?.mark !== mark) {
        since = { mark, at: now, toldAt: Number.NEGATIVE_INFINITY };
        this.#since.set(partition, since);
      }
      const forMs = now - since.at;
      if (forMs < TOLD_AFTER_MS) continue;
      const standing: Standing = { partition, why, reason, forMs };
      this.#now.push(standing);
      if (now - since.toldAt < TOLD_EVERY_MS) continue;
      since.toldAt = now;
      told.push(standing);
    }
    return told;
  }

  #places(now: number): Map<number | null, Place> {
    const places = new Map<number | null, Place>();
    const { state } = this.#ports;
    const reason = this.#memberReason(state, now);
    if (reason !== undefined) places.set(null, { mark: 'member', why: 'stuck', reason });
    for (const [partition, own] of state.own) {
      const place = this.#place(partition, own);
      // If one reason stops all partitions, it is reported only for the member.
      if (place && (reason === undefined || place.why === 'handler')) places.set(partition, place);
    }
    return places;
  }

  #place(partition: number, { epoch, phase }: OwnPartition): Place | undefined {
    const { status, running, held, failing, acquiring } = this.#ports.status(partition, epoch);
    const failure = this.#ports.failureOf(partition);
    if (phase === 'halted' || phase === 'paused') return undefined;
    if (acquiring) return { mark: 'acquiring', why: 'handler', reason: 'acquire has not returned yet' };
    if (phase === 'starting' || phase === 'waiting')
      return { mark: 'starting', why: 'stuck', reason: failure ?? 'the partition is being taken over' };
    if (phase === 'drained') {
      const reason = this.#ports.bucket.refusal ?? 'the lease has not been written yet';
      return { mark: 'drained', why: 'stuck', reason };
    }
    const mark = `${phase} ${status.position} ${status.covered} ${status.handled}`;
    const [first] = running;
    if (first) return { mark, why: 'handler', reason: `the handler of message ${first.sequence} runs` };
    if (failing) return { mark, why: 'handler', reason: describeHoldUp(failing) };
    if (phase === 'running' && held) {
      return held.paused || status.lag === 0 ? undefined : { mark, why: 'handler', reason: held.reason };
    }
    if (phase === 'draining') return { mark, why: 'stuck', reason: 'the last commit has not been confirmed' };
    // Without a reader, the number of waiting messages is unknown.
    const unread = status.state === 'waiting' ? failure : undefined;
    if (unread === undefined && status.lag === 0) return undefined;
    return { mark, why: 'stuck', reason: unread ?? 'messages wait, but none arrives' };
  }

  /** The reason why this member cannot handle any message. */
  #memberReason(state: State, now: number): string | undefined {
    const { session, viewReady, own, permit, holdUntil, timing } = state;
    const { refusal, answerMs } = this.#ports.bucket;
    if (state.leaving) return undefined;
    if (!state.connected) return 'the member is not connected';
    if (session.revision === 0)
      return `the member is not in the group yet: ${refusal ?? slowness(answerMs, timing)}`;
    if (!viewReady) return 'the contents of the bucket are not known yet';
    if (now < holdUntil)
      return 'the bucket has lost entries: partitions are claimed only after the members of the lost entries have ended';
    if (!session.expired && (own.size === 0 || now < permit)) return undefined;
    if (refusal !== undefined) return `the member cannot renew: ${refusal}`;
    return `the member cannot renew: ${slowness(answerMs, timing)}`;
  }
}

/** Describes that the bucket answers too late or not at all, and which setting helps. */
function slowness(answerMs: number, { graceMs }: Timing): string {
  const lasts = `${Math.round(graceMs)} ms`;
  if (answerMs <= graceMs)
    return `the bucket does not answer within ${lasts}: check its servers. If answers usually take that long, raise --probe-interval (probeIntervalMs) in all members`;
  // A renewal counts for 1.75 probe intervals after it was sent. If answers are slow, the next renewal is confirmed two round trips later.
  // So an interval must be longer than 2 / 1.75 = 1.14 round trips. The factor 1.25 leaves a margin.
  const enough = Math.ceil((answerMs * 1.25) / 100) * 100;
  return `answers take ${Math.round(answerMs)} ms, and a renewal counts for ${lasts}: set --probe-interval (probeIntervalMs) to ${enough} ms or more in all members`;
}
