import type { Cancel } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import type { LayoutKeeper, Watch } from '../../ports/index.js';
import { decodeEntries } from '../../protocol/entries.js';
import type { Effect, Report } from '../../protocol/events.js';
import { initialState } from '../../protocol/initial-state.js';
import { keys } from '../../protocol/keys.js';
import { type GroupLayoutRecord, hasOwnPartitions } from '../../protocol/layout-records.js';
import type { Pauses } from '../partition/pauses.js';
import { BucketEffects, type EventWithoutNow } from './bucket-effects.js';
import type { MemberEvents, MemberPorts, MemberSettings } from './contract.js';
import { followLink } from './follow-link.js';
import { refuseFormat } from './format.js';
import { HighWater } from './high-water.js';
import { Identification } from './identification.js';
import { Orders } from './orders.js';
import { OwnStatus } from './own-status.js';
import { partitionRelay } from './partition-relay.js';
import { type Performers, ProtocolLoop } from './protocol-loop.js';
import { type AnewPorts, type Known, putBack, putBackPositions } from './put-back.js';
import { Runners } from './runners.js';

/** After the drain timeout, a leaving member waits this long for others to take its partitions. */
const LEAVE_GRACE_MS = 5_000;

/** A member of a group: feeds the protocol one event at a time, and executes the resulting effects. The engine itself decides nothing. */
export class MemberEngine {
  readonly #settings: MemberSettings;
  readonly #ports: MemberPorts;
  readonly #events: MemberEvents;
  readonly #runners: Runners;
  readonly #water: HighWater;
  readonly #bucket: BucketEffects;
  readonly #identification: Identification;
  /** The information that the member reports about itself. */
  readonly status: OwnStatus;
  /** Executes requests for single partitions. */
  readonly orders: Orders;
  readonly #loop: ProtocolLoop;
  /** Writes the member's current layout if the bucket lacks it. */
  #keeper: LayoutKeeper | undefined;
  #watch: Watch | undefined;
  #unwatchLink: (() => void) | undefined;
  #cancelLeave: Cancel | undefined;
  #ended = false;
  #end!: { resolve: () => void; reject: (error: NatspocError) => void };
  /** The callbacks to which the parts of the member report. */
  readonly #told = {
    feed: (event: EventWithoutNow): void => this.#loop.feed(event),
    report: (report: Report): void => this.#events.report(report),
    fail: (error: NatspocError): void => this.fail(error),
  };
  readonly #perform: Performers = {
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
    'restore-position': ({ partition }) =>
      void putBackPositions(this.#layoutEpoch, this.#committed([partition]), this.#anew()),
    'begin-anew': ({ owned }) => this.#beginAnew(owned),
    'write-lease': (effect) => void this.#bucket.writeLease(effect),
    probe: ({ id }) => void this.#probe(id),
    'start-partition': ({ partition, epoch, died }) => this.#runners.start(partition, epoch, died),
    'drain-partition': ({ partition, epoch }) => void this.#drain(partition, epoch),
    'abort-partition': ({ partition, reason }) => this.#runners.lose(partition, reason),
    permit: ({ until }) => this.#runners.rules.permit.extendTo(until),
    interrupt: () => this.#runners.interrupt(),
    'wake-at': ({ at }) => this.#loop.wake(at),
    report: ({ report }) => this.#events.report(report),
    left: () => this.#finish(),
  };

  /** Resolves when the member has left; rejects with the error that ended the member. */
  readonly closed: Promise<void>;

  constructor(settings: MemberSettings, ports: MemberPorts, events: MemberEvents) {
    this.#settings = settings;
    this.#ports = ports;
    this.#events = events;
    this.#keeper = ports.layout;
    this.#water = new HighWater(ports.bucket, ports.clock, () => this.#loop.feed({ type: 'went-back' }));
    this.#loop = new ProtocolLoop(initialState(settings), ports.clock, this.#perform);
    this.#runners = new Runners(settings, { ...ports, bucket: this.#water }, (partition, epoch) =>
      partitionRelay(partition, epoch, events.partition(partition), {
        ...this.#told,
        runners: this.#runners,
        holdUps: this.status.holdUps,
      }),
    );
    this.#bucket = new BucketEffects(settings, {
      ...ports,
      bucket: this.#water,
      unjudged: ports.bucket,
      ...this.#told,
    });
    this.#identification = new Identification({
      ...ports,
      retryMs: settings.timing.retryMs,
      identified: (id) => this.#loop.feed({ type: 'identified', id }),
    });
    this.status = new OwnStatus({
      ...ports,
      cpuMs: ports.cpuMs,
      state: this.#loop.state,
      runners: this.#runners,
      bucket: this.#water,
      ttlMs: settings.timing.ttlMs,
      report: this.#told.report,
    });
    this.orders = new Orders({
      state: this.#loop.state,
      runners: this.#runners,
      status: this.status,
      feed: this.#told.feed,
    });
    this.closed = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    // If a caller does not await `closed`, a rejection of `closed` must not end the process.
    this.closed.catch(() => {});
  }

  /** The session id; null without a session. */
  get id(): string | null {
    return this.#loop.state.session.id;
  }

  /** True in a keyed group. */
  get isKeyed(): boolean {
    const { record } = this.#loop.state.layout;
    return record !== null && !hasOwnPartitions(record);
  }

  /** Handlers of this member may start until this time, on this process's clock. Each confirmed renewal extends it. */
  get permittedUntil(): number {
    return this.#runners.rules.permit.until;
  }

  /** Joins the group. */
  start(): void {
    this.#unwatchLink = followLink(this.#ports.link, this.#ports.clock, this.#told);
    this.#startWatch();
    this.status.start();
    this.#loop.feed({ type: 'connected' });
  }

  #startWatch(): void {
    const { group, version } = this.#settings;
    const unreadable = (key: string): void => this.#told.report({ type: 'unreadable', key });
    this.#watch = this.#water.watch(keys.groupPrefix(group), {
      snapshot: (entries) => {
        const refusal = this.#loop.state.viewReady ? undefined : refuseFormat(group, entries, version);
        if (refusal) this.fail(refusal);
        else this.#loop.feed({ type: 'snapshot', entries: decodeEntries(group, entries, unreadable) });
      },
      changes: (entries) =>
        this.#loop.feed({ type: 'changes', entries: decodeEntries(group, entries, unreadable) }),
      failed: (error) => this.fail(error),
    });
  }

  /**
   * Called after the bucket has lost data. Forgets everything known about the bucket, and writes back the entries that only members know.
   */
  #beginAnew(owned: readonly number[]): void {
    this.#watch?.stop();
    const known = this.#committed(this.#runners.forget(owned));
    this.#water.forget();
    this.#startWatch();
    void putBack(this.#settings.start, this.#layoutEpoch, known, this.#anew());
  }

  /** The last committed positions of these partitions, as far as this member has committed any. */
  #committed(partitions: readonly number[]): Known[] {
    const known = partitions.map((partition) => ({ partition, ...this.#runners.committed(partition) }));
    return known.filter(({ sequence }) => sequence > 0);
  }

  get #layoutEpoch(): number {
    return this.#loop.state.layout.epoch;
  }

  #anew(): AnewPorts {
    return {
      ...this.#ports,
      group: this.#settings.group,
      layout: this.#keeper,
      bucket: this.#water,
      retryMs: this.#settings.timing.retryMs,
      isOver: () => this.#ended,
      fail: (error) => this.fail(error),
    };
  }

  /** Switches to the partitions of another layout. */
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
    this.#loop.feed({ type: 'position-settled', partition, epoch, order, ...answer });
  }

  /**
   * Hands over all partitions and ends. Resolves when all partitions are handed over, at the latest after the drain timeout plus
   * {@link LEAVE_GRACE_MS}. With `rejoinWithinMs`, they are instead kept for this time for the next member with the same name.
   */
  async leave(rejoinWithinMs = 0): Promise<void> {
    const { clock } = this.#ports;
    if (!this.#ended && !this.#cancelLeave) {
      const boundMs = this.#settings.runner.drainTimeoutMs + LEAVE_GRACE_MS;
      this.#cancelLeave = clock.at(clock.now() + boundMs, () => this.#finish());
      this.#loop.feed({ type: 'leave', rejoinWithinMs });
    }
    await this.closed;
  }

  /** The partitions that the program has paused at this member. */
  get pauses(): Pauses {
    return this.#runners.rules.pauses;
  }

  /** Ends immediately with an error. Other members claim the partitions when they notice that this member has ended. */
  fail(error: NatspocError): void {
    this.#finish(error);
  }

  #finish(error?: NatspocError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#loop.end();
    this.status.stop();
    this.#cancelLeave?.();
    this.#watch?.stop();
    this.#unwatchLink?.();
    this.#identification.close();
    this.#runners.end();
    if (error) this.#end.reject(error);
    else this.#end.resolve();
  }

  async #probe(id: string): Promise<void> {
    this.#loop.feed({ type: 'probed', id, outcome: await this.#ports.prober.probe(id) });
  }

  async #drain(partition: number, epoch: number): Promise<void> {
    if (await this.#runners.drain(partition, epoch))
      this.#loop.feed({ type: 'partition-drained', partition, epoch });
  }
}
