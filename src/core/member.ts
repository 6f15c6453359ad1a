import type { Cancel, Clock } from './clock.js';
import type { StartFrom } from './config.js';
import { Gate } from './consume/gate.js';
import { type Handler, type Logger, SILENT } from './consume/handler.js';
import type { Quota } from './consume/quota.js';
import {
  PartitionRunner,
  type RunnerEvents,
  type RunnerSettings,
  type RunnerStatus,
} from './consume/runner.js';
import type { Trimmed } from './consume/trimmed.js';
import { Turn } from './consume/turn.js';
import type { NatspocError } from './errors.js';
import type { Effect, GroupEvent, Report, Written } from './group/events.js';
import { encodeRecord, keys, type LeaseRecord, RECORD_VERSION, type SessionRecord } from './group/records.js';
import { initialState, random, type State } from './group/state.js';
import { step } from './group/step.js';
import type { Timing } from './group/timing.js';
import type {
  Bucket,
  DeadLetters,
  EventStream,
  Identities,
  Link,
  MemberIdentity,
  Prober,
  ReaderWindow,
  StreamMessage,
  Watch,
  WriteOutcome,
} from './ports.js';
import { decodeEntries } from './view-entries.js';

/** How long a leaver waits, beyond the drain timeout, for the group to take its partitions. */
const LEAVE_GRACE_MS = 5_000;

/** Longer than anybody waits, and still a number in JSON. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** Who a member is and how it behaves. */
export interface MemberSettings {
  group: string;
  /** Shown to people; need not be unique. */
  name: string;
  host: string;
  pid: number;
  version: string;
  partitions: number;
  timing: Timing;
  from: StartFrom;
  runner: RunnerSettings;
  /** What may wait in memory, over all partitions. */
  budget: ReaderWindow;
  /** Seed of the jitter of renewals and retries. */
  seed: number;
}

/** Everything outside that a member works with. */
export interface MemberPorts {
  bucket: Bucket;
  stream: EventStream;
  prober: Prober;
  identities: Identities;
  link: Link;
  clock: Clock;
  handler: Handler;
  /** Takes what handlers have to say; nothing by default. */
  logger?: Logger | undefined;
  /** Bounds how many messages are handled in all. */
  quota?: Quota | undefined;
  /** Needed where the failure policy says `dead-letter`. */
  deadLetters?: DeadLetters | undefined;
  /** Resolves when the effects of everything handled so far are safe, so that it may be committed. */
  barrier?: (() => Promise<void> | undefined) | undefined;
}

/** What a member tells while it lives. */
export interface MemberEvents {
  report(report: Report): void;
  handled(partition: number, message: StreamMessage): void;
  attemptFailed: (partition: number, ...args: Parameters<RunnerEvents['attemptFailed']>) => void;
  /** Messages up to `sequence` are committed; `tookMs` from sending to the answer. */
  committed?: (partition: number, sequence: number, tookMs: number) => void;
  /** The stream has dropped messages before they were handled. */
  trimmed?: (partition: number, trimmed: Trimmed) => void;
  /** A drain goes on without the handlers of these messages. */
  overdue?: (partition: number, sequences: number[]) => void;
  /** A handler wants the member to stop; whoever listens makes it leave. */
  stopped?: (partition: number, error: Error) => void;
}

/** One partition as its owner sees it. */
export interface PartitionStatus extends Omit<RunnerStatus, 'state'> {
  partition: number;
  epoch: number;
  /** `waiting`: it failed for a passing reason and starts again soon; `halted`, `paused`: until somebody acts. */
  state: RunnerStatus['state'] | 'waiting' | 'halted' | 'paused';
}

/** What is said of a partition that has not been handled here yet. */
const NOT_STARTED: RunnerStatus = {
  position: 0,
  committed: 0,
  handled: 0,
  lag: 0,
  caughtUp: false,
  state: 'starting',
};

/**
 * A member of a group: the shell around the protocol. Feeds it what happens, one event at a time, and carries
 * out what it orders. Decides nothing itself.
 */
export class Member {
  readonly #settings: MemberSettings;
  readonly #ports: MemberPorts;
  readonly #events: MemberEvents;
  readonly #gate: Gate;
  readonly #queue: GroupEvent[] = [];
  readonly #runners = new Map<number, { epoch: number; runner: PartitionRunner }>();
  /** How far partitions were handled that rest here now. */
  readonly #resting = new Map<number, { epoch: number; status: RunnerStatus }>();
  readonly #turn: Turn;
  readonly #jitter: { random: number };
  /** Handlers of runners that were aborted and have not settled yet, by partition. */
  readonly #leftovers = new Map<number, Promise<void>>();
  #state: State;
  #stepping = false;
  #watch: Watch | undefined;
  #identity: MemberIdentity | undefined;
  #cancelWake: Cancel | undefined;
  #cancelLeave: Cancel | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #ended = false;
  #end!: { resolve: () => void; reject: (error: NatspocError) => void };
  readonly #startedAt: string;

  /** Resolves when the member has left; rejects with the error that ended it. */
  readonly closed: Promise<void>;

  constructor(settings: MemberSettings, ports: MemberPorts, events: MemberEvents) {
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
    this.#gate = new Gate(ports.clock);
    this.#turn = new Turn(ports.clock);
    this.#jitter = { random: settings.seed };
    this.#state = initialState(settings);
    this.#startedAt = new Date().toISOString();
    this.closed = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    // Whoever does not wait for it still hears of the error through what the member tells.
    this.closed.catch(() => {});
  }

  /** The session id, or null while there is none. */
  get id(): string | null {
    return this.#state.session.id;
  }

  /** Until when handlers may start here, on this process's clock; it moves on while all is well. */
  get permittedUntil(): number {
    return this.#gate.until;
  }

  /** The partitions that this member owns, also those that rest. */
  get partitions(): PartitionStatus[] {
    return [...this.#state.own].map(([partition, { epoch, phase }]) => {
      const running = this.#runners.get(partition);
      if (running?.epoch === epoch) return { partition, epoch, ...running.runner.status };
      const resting = this.#resting.get(partition);
      const status = resting?.epoch === epoch ? resting.status : NOT_STARTED;
      const rests = phase === 'halted' || phase === 'waiting' || phase === 'paused';
      const state = rests ? phase : 'draining';
      return { partition, epoch, ...status, state };
    });
  }

  /** True while it is in the group and every partition of the group has an owner. */
  get isSettled(): boolean {
    const { session, viewReady, leases } = this.#state;
    if (session.id === null || session.revision === 0 || !viewReady) return false;
    for (let partition = 0; partition < this.#settings.partitions; partition++) {
      const record = leases.get(partition)?.record;
      if (record !== 'unreadable' && !record?.owner) return false;
    }
    return true;
  }

  /** Joins the group. */
  start(): void {
    const { bucket, link } = this.#ports;
    link.watch({
      disconnected: () => this.#feed({ type: 'disconnected' }),
      reconnected: () => this.#feed({ type: 'connected' }),
      ended: (error) => this.fail(error),
    });
    this.#watch = bucket.watch(keys.groupPrefix(this.#settings.group), {
      snapshot: (entries) => {
        const decoded = decodeEntries(this.#settings.group, entries, this.#unreadable);
        this.#feed({ type: 'snapshot', entries: decoded });
      },
      changes: (entries) => {
        const decoded = decodeEntries(this.#settings.group, entries, this.#unreadable);
        this.#feed({ type: 'changes', entries: decoded });
      },
      failed: (error) => this.fail(error),
    });
    this.#feed({ type: 'connected' });
  }

  /** Hands everything over and ends; resolves when that is done, at the latest after a bounded time. */
  async leave(): Promise<void> {
    const { clock } = this.#ports;
    if (!this.#ended && !this.#cancelLeave) {
      const boundMs = this.#settings.runner.drainTimeoutMs + LEAVE_GRACE_MS;
      this.#cancelLeave = clock.at(clock.now() + boundMs, () => this.#finish());
      this.#feed({ type: 'leave' });
    }
    await this.closed;
  }

  /** Gives a partition away: to the member of this name or id, or to whoever has least. False: it is not ours. */
  release(partition: number, to: string | null): boolean {
    const owned = this.#state.own.has(partition);
    if (owned) this.#feed({ type: 'release', partition, to });
    return owned;
  }

  /** Ends at once with an error; what is owned goes to the others when they notice. */
  fail(error: NatspocError): void {
    this.#finish(error);
  }

  #finish(error?: NatspocError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWake?.();
    this.#cancelLeave?.();
    this.#watch?.stop();
    this.#identity?.close();
    this.#gate.permit(Number.NEGATIVE_INFINITY);
    for (const { runner } of this.#runners.values()) void runner.abort('the member has ended');
    this.#runners.clear();
    if (error) this.#end.reject(error);
    else this.#end.resolve();
  }

  readonly #unreadable = (key: string): void => this.#events.report({ type: 'unreadable', key });

  /** One event at a time: what an effect causes at once waits for its turn. */
  #feed(event: EventWithoutNow): void {
    if (this.#ended) return;
    this.#queue.push({ ...event, now: this.#ports.clock.now() });
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#queue.shift(); next && !this.#ended; next = this.#queue.shift()) {
      const { state, effects } = step(this.#state, next);
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    }
    this.#stepping = false;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'identify':
        void this.#identify();
        break;
      case 'write-session':
        void this.#writeSession(effect);
        break;
      case 'remove-session':
        void this.#removeSession(effect.id, effect.expected);
        break;
      case 'read-session':
        void this.#readSession(effect.id);
        break;
      case 'fence-session':
        void this.#fenceSession(effect.id, effect.expected);
        break;
      case 'write-lease':
        void this.#writeLease(effect);
        break;
      case 'probe':
        void this.#probe(effect.id);
        break;
      case 'start-partition':
        this.#startPartition(effect.partition, effect.epoch);
        break;
      case 'drain-partition':
        void this.#drainPartition(effect.partition, effect.epoch);
        break;
      case 'abort-partition':
        this.#remove(effect.partition, effect.reason);
        break;
      case 'permit':
        this.#gate.permit(effect.until);
        break;
      case 'interrupt':
        for (const { runner } of this.#runners.values()) runner.interrupt();
        break;
      case 'wake-at':
        this.#wake(effect.at);
        break;
      case 'report':
        this.#events.report(effect.report);
        break;
      case 'left':
        this.#finish();
    }
  }

  #wake(at: number): void {
    if (at === this.#wakeAt) return;
    this.#cancelWake?.();
    this.#wakeAt = at;
    this.#cancelWake = this.#ports.clock.at(at, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#feed({ type: 'tick' });
    });
  }

  async #identify(): Promise<void> {
    this.#identity?.close();
    this.#identity = undefined;
    const identity = await this.#ports.identities.create();
    if (this.#ended) identity?.close();
    else if (identity) {
      this.#identity = identity;
      this.#feed({ type: 'identified', id: identity.id });
    } else {
      const { clock } = this.#ports;
      clock.at(clock.now() + this.#settings.timing.retryMs, () => {
        if (!this.#ended) void this.#identify();
      });
    }
  }

  async #writeSession(effect: Extract<Effect, { type: 'write-session' }>): Promise<void> {
    const { group, name, host, pid, version, timing } = this.#settings;
    const record: SessionRecord = {
      v: RECORD_VERSION,
      id: effect.id,
      name,
      host,
      pid,
      version,
      startedAt: this.#startedAt,
      ttlMs: timing.ttlMs,
      suspectMs: this.#identity?.probeable === false ? NEVER_MS : timing.suspectMs,
      ...(effect.leaving && { leaving: true }),
    };
    const sentAt = this.#ports.clock.now();
    const key = keys.session(group, effect.id);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(record), effect.expected);
    this.#feedWritten(outcome, (written) => ({
      type: 'session-written',
      id: effect.id,
      sentAt,
      outcome: written,
    }));
  }

  async #removeSession(id: string, expected: number): Promise<void> {
    const outcome = await this.#ports.bucket.remove(keys.session(this.#settings.group, id), expected);
    this.#feedWritten(outcome, (written) => ({ type: 'session-removed', id, outcome: written }));
  }

  async #fenceSession(id: string, expected: number): Promise<void> {
    const outcome = await this.#ports.bucket.remove(keys.session(this.#settings.group, id), expected);
    this.#feedWritten(outcome, (written) => ({ type: 'session-fenced', id, outcome: written }));
  }

  async #readSession(id: string): Promise<void> {
    const sentAt = this.#ports.clock.now();
    const found = await this.#ports.bucket.read(keys.session(this.#settings.group, id));
    if (found.kind === 'failed') this.fail(found.error);
    else if (found.kind === 'unknown')
      this.#feed({ type: 'session-read', id, sentAt, outcome: { kind: 'unknown' } });
    else {
      const revision = found.kind === 'found' && found.entry.value ? found.entry.revision : null;
      this.#feed({ type: 'session-read', id, sentAt, outcome: { kind: 'ok', revision } });
    }
  }

  async #writeLease(effect: Extract<Effect, { type: 'write-lease' }>): Promise<void> {
    const { partition, expected } = effect;
    const record: LeaseRecord = { ...effect.record, at: new Date().toISOString() };
    const key = keys.lease(this.#settings.group, partition);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(record), expected);
    this.#feedWritten(outcome, (written) => ({
      type: 'lease-written',
      partition,
      expected,
      record,
      outcome: written,
    }));
  }

  #feedWritten(outcome: WriteOutcome, event: (written: Written) => EventWithoutNow): void {
    if (outcome.kind === 'failed') this.fail(outcome.error);
    else this.#feed(event(outcome));
  }

  async #probe(id: string): Promise<void> {
    this.#feed({ type: 'probed', id, outcome: await this.#ports.prober.probe(id) });
  }

  #startPartition(partition: number, epoch: number): void {
    const { group, from, runner: settings } = this.#settings;
    const resting = this.#resting.get(partition);
    const before = resting?.epoch === epoch ? resting : undefined;
    const still = (): boolean => this.#runners.get(partition)?.runner === runner;
    const halt = (message: string): void => {
      if (!still()) return;
      this.#remove(partition, message);
      this.#feed({ type: 'partition-halted', partition, epoch, message });
    };
    const runner = new PartitionRunner(
      { group, partition, epoch, from, before },
      this.#window(1),
      settings,
      {
        ...this.#ports,
        gate: this.#gate,
        turn: this.#turn,
        random: () => random(this.#jitter),
        logger: this.#ports.logger ?? SILENT,
      },
      {
        started: () => this.#feed({ type: 'partition-started', partition, epoch }),
        handled: (message) => this.#events.handled(partition, message),
        committed: (sequence, sentAt) => {
          this.#feed({ type: 'heard', sentAt });
          this.#events.committed?.(partition, sequence, this.#ports.clock.now() - sentAt);
        },
        failed: (message) => {
          if (!still()) return;
          this.#remove(partition, message);
          this.#feed({ type: 'partition-failed', partition, epoch, message });
        },
        halted: (message) => halt(message),
        stopped: (error) => {
          halt(error.message);
          this.#events.stopped?.(partition, error);
        },
        overdue: (sequences) => this.#events.overdue?.(partition, sequences),
        trimmed: (trimmed) => this.#events.trimmed?.(partition, trimmed),
        attemptFailed: (...args) => this.#events.attemptFailed(partition, ...args),
        terminal: (error) => this.fail(error),
      },
    );
    this.#runners.set(partition, { epoch, runner });
    this.#resizeAll();
    void runner.start(this.#leftovers.get(partition) ?? Promise.resolve());
  }

  async #drainPartition(partition: number, epoch: number): Promise<void> {
    const running = this.#runners.get(partition);
    if (running?.epoch === epoch) await running.runner.drain();
    // Aborted or failed meanwhile: the protocol knows, and another runner may be at work already.
    if (this.#runners.get(partition) !== running) return;
    this.#remove(partition, 'drained');
    this.#feed({ type: 'partition-drained', partition, epoch });
  }

  /** Ends a runner. The next one of its partition here starts only when all handlers before have settled. */
  #remove(partition: number, reason: string): void {
    const removed = this.#runners.get(partition);
    if (!removed) return;
    const { epoch, runner } = removed;
    const resting = { epoch, status: runner.status };
    this.#resting.set(partition, resting);
    this.#runners.delete(partition);
    const settled = Promise.all([this.#leftovers.get(partition), runner.abort(reason)]);
    const leftover = settled.then(() => {
      // A handler that ended well after all is not to be called again under the same epoch.
      resting.status = runner.status;
      if (this.#leftovers.get(partition) === leftover) this.#leftovers.delete(partition);
    });
    this.#leftovers.set(partition, leftover);
    this.#resizeAll();
  }

  #window(more = 0): ReaderWindow {
    const { messages, bytes } = this.#settings.budget;
    const readers = Math.max(1, this.#runners.size + more);
    return {
      messages: Math.max(1, Math.floor(messages / readers)),
      bytes: Math.max(1, Math.floor(bytes / readers)),
    };
  }

  #resizeAll(): void {
    const window = this.#window();
    for (const { runner } of this.#runners.values()) runner.resize(window);
  }
}

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;
type EventWithoutNow = WithoutNow<GroupEvent>;
