import type { Dealt } from '../../config/retry.js';
import type { Cancel } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import type { LayoutKeeper, Watch } from '../../ports/index.js';
import { decodeEntries } from '../../protocol/entries.js';
import type { Effect, GroupEvent } from '../../protocol/events.js';
import { initialState } from '../../protocol/initial-state.js';
import { keys } from '../../protocol/keys.js';
import { type GroupLayoutRecord, hasOwnPartitions } from '../../protocol/layout-records.js';
import type { State } from '../../protocol/state.js';
import { step } from '../../protocol/step.js';
import type { PartitionEvents } from '../partition/partition-events.js';
import type { Pauses } from '../partition/pauses.js';
import { BucketEffects, type EventWithoutNow } from './bucket-effects.js';
import type { MemberEvents, MemberPorts, MemberSettings } from './contract.js';
import { followLink } from './follow-link.js';
import { refuseFormat } from './format.js';
import { HighWater } from './high-water.js';
import { Identification } from './identification.js';
import { OwnStatus } from './own-status.js';
import { putBack } from './put-back.js';
import { Runners } from './runners.js';

/** How long a leaving member waits, beyond the drain timeout, for other members to take its partitions. */
const LEAVE_GRACE_MS = 5_000;

type Perform<E> = (effect: E) => void;

/**
 * A member of a group: feeds the protocol one event at a time, and executes its effects. The engine itself decides
 * nothing.
 */
export class MemberEngine {
  readonly #settings: MemberSettings;
  readonly #ports: MemberPorts;
  readonly #events: MemberEvents;
  readonly #runners: Runners;
  readonly #water: HighWater;
  readonly #bucket: BucketEffects;
  readonly #identification: Identification;
  /** What the member reports about itself. */
  readonly status: OwnStatus;
  readonly #queue: GroupEvent[] = [];
  #state: State;
  #stepping = false;
  /** Keeps the layout that the member works with. */
  #keeper: LayoutKeeper | undefined;
  #watch: Watch | undefined;
  #unwatchLink: (() => void) | undefined;
  #cancelWake: Cancel | undefined;
  #cancelLeave: Cancel | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #ended = false;
  #end!: { resolve: () => void; reject: (error: NatspocError) => void };
  /** Executes one effect. */
  readonly #perform: { [T in Effect['type']]: Perform<Extract<Effect, { type: T }>> } = {
    identify: () => void this.#identification.begin(),
    'write-session': (effect) => void this.#bucket.writeSession(effect, this.#identification.isProbeable),
    'write-proof': (effect) => void this.#bucket.writeProof(effect),
    'remove-session': (effect) => void this.#bucket.removeSession(effect),
    'read-session': ({ id, known }) => void this.#bucket.readSession(id, known),
    'read-proof': ({ id }) => void this.#bucket.readProof(id),
    'end-proof': (effect) => void this.#bucket.endProof(effect),
    'fence-session': (effect) => void this.#bucket.fenceSession(effect),
    'look-up-session': ({ id }) => void this.#bucket.lookUpSession(id),
    'look-up-lease': ({ partition, known }) => {
      void this.#bucket.lookUpLease(partition, known);
      this.#runners.of(partition)?.look();
    },
    'look-up-override': ({ partition, known }) => void this.#bucket.lookUpOverride(partition, known),
    'settle-position': (effect) => void this.#settle(effect),
    'write-layout': (effect) => void this.#bucket.writeLayout(effect),
    'look-up-layout': () => void this.#bucket.lookUpLayout(),
    'begin-layout': ({ record }) => this.#beginLayout(record),
    'begin-anew': ({ owned }) => this.#beginAnew(owned),
    'write-lease': (effect) => void this.#bucket.writeLease(effect),
    probe: ({ id }) => void this.#probe(id),
    'start-partition': ({ partition, epoch, died }) => this.#runners.start(partition, epoch, died),
    'drain-partition': ({ partition, epoch }) => void this.#drain(partition, epoch),
    'abort-partition': ({ partition, reason }) => this.#runners.lose(partition, reason),
    permit: ({ until }) => this.#runners.rules.permit.extendTo(until),
    interrupt: () => this.#runners.interrupt(),
    'wake-at': ({ at }) => this.#wake(at),
    report: ({ report }) => this.#events.report(report),
    left: () => this.#finish(),
  };

  /** Resolves when the member has left; rejects with the error that ended it. */
  readonly closed: Promise<void>;

  constructor(settings: MemberSettings, ports: MemberPorts, events: MemberEvents) {
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
    this.#keeper = ports.layout;
    this.#water = new HighWater(ports.bucket, ports.clock, () => this.#feed({ type: 'went-back' }));
    this.#runners = new Runners(settings, { ...ports, bucket: this.#water }, (partition, epoch) =>
      this.#eventsOf(partition, epoch),
    );
    this.#bucket = new BucketEffects(settings, {
      ...ports,
      bucket: this.#water,
      unjudged: ports.bucket,
      feed: (event) => this.#feed(event),
      fail: (error) => this.fail(error),
    });
    this.#identification = new Identification({
      ...ports,
      retryMs: settings.timing.retryMs,
      identified: (id) => this.#feed({ type: 'identified', id }),
    });
    this.status = new OwnStatus({
      ...ports,
      cpuMs: ports.cpuMs,
      state: () => this.#state,
      runners: this.#runners,
      bucket: this.#water,
      ttlMs: settings.timing.ttlMs,
      report: (report) => events.report(report),
    });
    this.#state = initialState(settings);
    this.closed = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    // A caller that does not await `closed` must not end the process.
    this.closed.catch(() => {});
  }

  /** The session id; null without a session. */
  get id(): string | null {
    return this.#state.session.id;
  }

  /** True in a keyed group. */
  get isKeyed(): boolean {
    const { record } = this.#state.layout;
    return record !== null && !hasOwnPartitions(record);
  }

  /** Until when handlers may start here, on this process's clock. Each renewal moves this time on. */
  get permittedUntil(): number {
    return this.#runners.rules.permit.until;
  }

  /** Joins the group. */
  start(): void {
    this.#unwatchLink = followLink(this.#ports.link, this.#ports.clock, {
      feed: (event) => this.#feed(event),
      report: (report) => this.#events.report(report),
      fail: (error) => this.fail(error),
    });
    this.#startWatch();
    this.status.start();
    this.#feed({ type: 'connected' });
  }

  #startWatch(): void {
    const { group, version } = this.#settings;
    const unreadable = (key: string): void => this.#events.report({ type: 'unreadable', key });
    this.#watch = this.#water.watch(keys.groupPrefix(group), {
      snapshot: (entries) => {
        const refusal = this.#state.viewReady ? undefined : refuseFormat(group, entries, version);
        if (refusal) this.fail(refusal);
        else this.#feed({ type: 'snapshot', entries: decodeEntries(group, entries, unreadable) });
      },
      changes: (entries) =>
        this.#feed({ type: 'changes', entries: decodeEntries(group, entries, unreadable) }),
      failed: (error) => this.fail(error),
    });
  }

  /** The bucket lost its state: forgets everything known of it, and writes back what only this member knows. */
  #beginAnew(owned: readonly number[]): void {
    const known = owned.map((partition) => ({ partition, ...this.#runners.committed(partition) }));
    this.#watch?.stop();
    this.#runners.forget();
    this.#water.forget();
    this.#startWatch();
    void putBack(
      this.#settings.group,
      this.#settings.start,
      this.#state.layout.epoch,
      known.filter(({ sequence }) => sequence > 0),
      {
        ...this.#ports,
        layout: this.#keeper,
        bucket: this.#water,
        retryMs: this.#settings.timing.retryMs,
        isOver: () => this.#ended,
        fail: (error) => this.fail(error),
      },
    );
  }

  /** Begins with the partitions of another layout, which may be read in another way. */
  #beginLayout(record: GroupLayoutRecord): void {
    const resized = this.#ports.resized?.(record);
    if (!resized) {
      const message = `Group ${this.#settings.group} was given another layout, which this member cannot handle.`;
      this.fail(new NatspocError('layout-mismatch', message));
      return;
    }
    this.#keeper = resized.layout;
    this.#runners.begin(record, resized.stream);
  }

  async #settle({
    partition,
    epoch,
    order,
    isDrained,
  }: Extract<Effect, { type: 'settle-position' }>): Promise<void> {
    const committed = isDrained ? this.#runners.committedInDrain(partition, epoch) : undefined;
    const settled = committed ?? (await this.#runners.settle(partition, epoch));
    if (settled instanceof NatspocError) {
      this.fail(settled);
      return;
    }
    const answer = typeof settled === 'string' ? { position: null, message: settled } : { position: settled };
    this.#feed({ type: 'position-settled', partition, epoch, order, ...answer });
  }

  /**
   * Hands everything over and ends. Resolves when that is done, or after a bounded time. `rejoinWithinMs`: keeps the partitions this
   * long for the next member of this name instead; 0: hands them over.
   */
  async leave(rejoinWithinMs = 0): Promise<void> {
    const { clock } = this.#ports;
    if (!this.#ended && !this.#cancelLeave) {
      const boundMs = this.#settings.runner.drainTimeoutMs + LEAVE_GRACE_MS;
      this.#cancelLeave = clock.at(clock.now() + boundMs, () => this.#finish());
      this.#feed({ type: 'leave', rejoinWithinMs });
    }
    await this.closed;
  }

  /**
   * Gives a partition to the member of this name or id, or (null) to the member with the fewest partitions. False if it is
   * not owned here.
   */
  release(partition: number, to: string | null): boolean {
    const owned = this.#state.own.has(partition);
    if (owned) this.#feed({ type: 'release', partition, to });
    return owned;
  }

  /** Retries at once what holds a partition up. False if nothing holds it up, or it is not owned here. */
  retry(partition: number): boolean {
    const phase = this.#state.own.get(partition)?.phase;
    const isHeldUp = phase === 'halted' || phase === 'waiting' || this.#runners.activity(partition).failing;
    if (!isHeldUp) return false;
    this.#runners.of(partition)?.retryNow();
    this.#feed({ type: 'retry', partition });
    return true;
  }

  /**
   * Gives up a message that failed: it is not tried again. The partition continues.
   *
   * @param by the operator.
   * @returns false if this message does not hold the partition up.
   */
  giveUp(partition: number, sequence: number, how: Exclude<Dealt, 'handled'>, by: string): boolean {
    if (!this.#state.own.has(partition)) return false;
    const halted = this.status.holdUps.haltedAt(partition);
    const failed =
      this.#runners.of(partition)?.failing(sequence) ?? (halted?.sequence === sequence ? halted : undefined);
    if (!failed) return false;
    const tries = failed.attempt === null ? '' : ` after attempt ${failed.attempt}`;
    this.#runners.rules.giveUps.add(partition, sequence, how, `given up by ${by}${tries}: ${failed.reason}`);
    this.retry(partition);
    return true;
  }

  /** The partitions that the program has paused here. */
  get pauses(): Pauses {
    return this.#runners.rules.pauses;
  }

  /** Ends immediately with an error. Other members claim the partitions when they notice. */
  fail(error: NatspocError): void {
    this.#finish(error);
  }

  #finish(error?: NatspocError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWake?.();
    this.status.stop();
    this.#cancelLeave?.();
    this.#watch?.stop();
    this.#unwatchLink?.();
    this.#identification.close();
    this.#runners.end();
    if (error) this.#end.reject(error);
    else this.#end.resolve();
  }

  /** Processes one event at a time: an event that an effect causes waits in the queue. */
  #feed(event: EventWithoutNow): void {
    if (this.#ended) return;
    this.#queue.push({ ...event, now: this.#ports.clock.now() });
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#queue.shift(); next && !this.#ended; next = this.#queue.shift()) {
      for (const effect of step(this.#state, next)) (this.#perform[effect.type] as Perform<Effect>)(effect);
    }
    this.#stepping = false;
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

  async #probe(id: string): Promise<void> {
    this.#feed({ type: 'probed', id, outcome: await this.#ports.prober.probe(id) });
  }

  async #drain(partition: number, epoch: number): Promise<void> {
    if (await this.#runners.drain(partition, epoch))
      this.#feed({ type: 'partition-drained', partition, epoch });
  }

  /** The events of a partition: for the protocol, and for the listeners of this member. */
  #eventsOf(partition: number, epoch: number): PartitionEvents {
    const listener = this.#events.partition(partition);
    return {
      ...listener,
      started: () => {
        this.status.holdUps.started(partition);
        this.#feed({ type: 'partition-started', partition, epoch });
      },
      unread: (reason, retryMs) => {
        this.status.holdUps.failed(partition, reason);
        listener.unread?.(reason, retryMs);
      },
      failed: (message) => {
        this.#runners.remove(partition, message);
        this.status.holdUps.failed(partition, message);
        this.#feed({ type: 'partition-failed', partition, epoch, message });
      },
      halted: (message, held) => {
        this.#runners.remove(partition, message);
        this.status.holdUps.halted(partition, message, held);
        this.#feed({ type: 'partition-halted', partition, epoch, message });
      },
      terminal: (error) => this.fail(error),
    };
  }
}
