import type { BucketEntry } from '../../src/core/protocol/entries.js';
import { keys, parseGroupKey } from '../../src/core/protocol/keys.js';
import {
  decodeGroupLayout,
  type GroupLayoutRecord,
  hasOwnPartitions,
} from '../../src/core/protocol/layout-records.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { encodeRecord } from '../../src/core/protocol/records.js';
import { timingFor } from '../../src/core/protocol/timing.js';
import { Timeline } from '../../src/core/testing/timeline.js';
import { isIdle } from './aging.js';
import { OPERATOR } from './checks/damage.js';
import { Drops } from './checks/drops.js';
import { Handling } from './checks/handling.js';
import { Judge } from './checks/judge.js';
import { Ledger } from './checks/ledger.js';
import { Poison } from './checks/poison.js';
import { SimMember } from './member.js';
import type { Latency } from './model/connection.js';
import type { HandlerProfile } from './model/handler.js';
import type { Stored } from './model/log.js';
import { Random } from './model/random.js';
import { Server } from './model/server.js';
import type { StoreCopy } from './model/store.js';

/** The settings of a run. */
export interface WorldSettings {
  group: string;
  members: number;
  partitions: number;
  ttlMs: number;
  probeEveryMs: number;
  /** True if probes are not permitted. Then only the ttl detects deaths. */
  denied: boolean;
  /** The share of members that may not answer probes. */
  mute: number;
  /** The largest relative error of a clock's rate. */
  clockError: number;
  latency: Latency;
  drainTimeoutMs: number;
  /** Parallel handlers of one partition, each for a different key. */
  concurrency: number;
  bufferMessages: number;
  /** A message has 1 to 4 bytes. */
  bufferBytes: number;
  handlers: HandlerProfile;
  /** True if members read all partitions with one reader, as in keyed groups. */
  shared: boolean;
  /** True if the group is keyed, and is sometimes resized. */
  resizing: boolean;
  /** The policy after the last failed attempt of a message. */
  onExhausted: 'skip' | 'halt' | 'dead-letter';
  handlerTimeoutMs: number | undefined;
  /** Messages per second. */
  publishRate: number;
  /** See {@link EventLog.countsDrops}. */
  countsDrops: boolean;
  /** True if the stream drops messages by age, and some partitions get no messages: see `aging.ts`. */
  aging: boolean;
  /** The faults that a storm draws most often. If empty, it draws from all. */
  faults: readonly string[];
}

const KEYS = ['a', 'b', 'c', 'd', 'e'] as const;

/** How many different hashes the keys of a resized group have. */
const SLOTS = 48;

/** A run that waits for a condition checks it at this interval. */
const LOOK_EVERY_MS = 50;

/** A group on a server under one virtual clock. */
export class World {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly settings: WorldSettings;
  readonly server: Server;
  readonly judge: Judge;
  readonly ledger: Ledger;
  readonly handling: Handling;
  readonly drops: Drops;
  readonly poison: Poison;
  readonly members: SimMember[] = [];
  /** How many readers were opened, by partition. */
  opens: number[];
  /** The layout of a resizing group, and its entry's revision. */
  layout: { record: GroupLayoutRecord; revision: number } | undefined;
  isPublishing = false;
  /**
   * What happened to entries of the bucket in this run. They are damaged or lost, but not both: a restored copy could contain damaged
   * entries.
   */
  harm: 'damage' | 'loss' | undefined;
  wentBack = false;

  constructor(settings: WorldSettings, random: Random, trace: ((line: string) => void) | undefined) {
    this.settings = settings;
    this.random = random;
    this.server = new Server(this.timeline, new Random(random.seed()), settings.partitions);
    this.server.log.countsDrops = settings.countsDrops;
    this.judge = new Judge(() => this.timeline.now, trace);
    this.ledger = new Ledger(
      this.judge,
      this.server.log,
      settings,
      (sequence) =>
        // Later messages may be handled while a message of another key waits. When the partition restarts, they are repeated.
        settings.concurrency > 1 || this.handling.handledWhenTold(sequence),
      (member, key) => this.members.find(({ name }) => name === member)?.bucket.seen.get(key) ?? 0,
    );
    this.poison = new Poison(
      this.judge,
      () => this.harm === undefined && !this.wentBack && !settings.resizing,
    );
    this.drops = new Drops(
      this.judge,
      settings.shared,
      () => !settings.aging || this.harm === 'loss' || this.wentBack,
    );
    const { log, consumers } = this.server;
    this.handling = new Handling(this.judge, this.ledger, log, settings, consumers.byChanged);
    this.opens = new Array<number>(settings.partitions).fill(0);
    this.server.store.observe((entry, writer) => {
      if (entry.value !== null && entry.key.startsWith(`position.${settings.group}.`))
        this.poison.written(entry.value);
      if (entry.value === null) this.#checkPermission(entry.key, writer);
      if (entry.key === keys.groupLayout(settings.group)) this.#laidOut(entry, writer);
      else this.ledger.applied(entry, writer);
    });
    if (settings.resizing && settings.shared) {
      const { partitions, group } = settings;
      const record: GroupLayoutRecord = {
        ...{ v: RECORD_VERSION, key: 'function:slot', filter: '>', partitions, hash: 'fnv1a32' },
      };
      this.server.store.write(keys.groupLayout(group), encodeRecord(record), 0, OPERATOR);
    }
  }

  get isSlotted(): boolean {
    const { layout } = this;
    return layout !== undefined && !hasOwnPartitions(layout.record);
  }

  /**
   * Records a write of the layout entry: a new layout, or an order to resize. Judges that no call under the old layout runs, and that no
   * message is lost.
   */
  #laidOut({ value, revision }: BucketEntry, writer: string): void {
    const record = value ? decodeGroupLayout(value) : undefined;
    if (!record) return;
    const epoch = this.layout?.record.epoch ?? 0;
    this.layout = { record, revision };
    const { before, next, partitions } = record;
    this.poison.resized();
    this.judge.note(`${writer} writes a layout of ${partitions} partitions, next ${next?.partitions}`);
    if ((record.epoch ?? 0) === epoch || !before) return;
    this.handling.resized();
    this.ledger.cut(before.positions, writer);
    // A group's first layout can be the stream's layout, where the subject names the partition.
    const wasOwn = record.prefix !== undefined && epoch === 0;
    const isHandled = ({ slot, sequence }: Stored): boolean =>
      sequence <= (before.positions[wasOwn ? slot : slot % before.partitions] ?? 0);
    this.settings.shared = true;
    this.server.log.repartition(partitions, isHandled);
    this.ledger.resized(record);
    this.settings.partitions = partitions;
    this.opens = new Array<number>(partitions).fill(0);
  }

  get active(): SimMember[] {
    return this.members.filter((member) => member.isMember);
  }

  /**
   * @param quota the member leaves after this number of messages.
   * @param knownAs the member's name in the group, if it restarts another member.
   */
  join(quota?: number, knownAs?: string): SimMember {
    const member = new SimMember(this, `m${this.members.length + 1}`, quota, knownAs);
    this.members.push(member);
    this.judge.note(`${member.name} joins`);
    return member;
  }

  readerOpened(partition: number): void {
    this.opens[partition] = (this.opens[partition] ?? 0) + 1;
  }

  /**
   * Stores a message in a partition. While the server delivers slowly, nothing is stored. New messages could hide a loss, because the
   * number of waiting messages would stay the same (SPEC.md).
   */
  store(partition: number): void {
    if (this.server.consumers.isSlow) return;
    const key = this.settings.concurrency > 1 ? this.random.pick(KEYS) : null;
    this.server.log.append(this.isSlotted ? this.#slotIn(partition) : partition, key);
  }

  #slotIn(partition: number): number {
    const { partitions } = this.settings;
    return partition + partitions * this.random.int(0, Math.floor((SLOTS - 1 - partition) / partitions));
  }

  /** Publishes to random partitions at the run's rate until `isPublishing` is false. */
  publish(): void {
    this.isPublishing = true;
    const next = (): void => {
      if (!this.isPublishing) return;
      const { publishRate, partitions, aging } = this.settings;
      const partition = this.random.int(0, partitions - 1);
      if (this.server.isUp && !(aging && isIdle(partition))) this.store(partition);
      // After a resize, fewer partitions must not get more messages than they can handle.
      this.timeline.after(this.random.between(0, 2_000 / Math.min(publishRate, partitions)), next);
    };
    next();
  }

  /** Removes entries from the bucket's stream without deletion markers. No watch shows that. */
  lose(matches: (key: string) => boolean): void {
    const lost = this.server.store.lose(matches);
    this.judge.note(`the bucket loses ${lost.map(({ key }) => key).join(' ')}`);
    this.ledger.lose(lost);
  }

  putBack(copy: StoreCopy): void {
    this.judge.note(`the bucket is restored from a copy at revision ${copy.revision}`);
    this.wentBack = true;
    this.server.store.putBack(copy);
    this.ledger.goBack(copy.entries);
    const { ttlMs, probeEveryMs, clockError } = this.settings;
    this.handling.goBack(timingFor(ttlMs, probeEveryMs).graceMs * (1 + 2 * clockError));
  }

  sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.timeline.after(forMs, resolve);
    });
  }

  /** Waits until the condition holds. Returns false if that takes longer than the bound. */
  async until(holds: () => boolean, boundMs: number): Promise<boolean> {
    const end = this.timeline.now + boundMs;
    while (!holds()) {
      if (this.timeline.now >= end) return false;
      await this.sleep(LOOK_EVERY_MS);
    }
    return true;
  }

  /** No member may be fenced while it could still start a handler. */
  #checkPermission(key: string, by: string): void {
    const parsed = parseGroupKey(this.settings.group, key);
    if (parsed.kind !== 'session') return;
    // A member with a new session may continue under it.
    const fenced = this.members.find(({ member }) => member.id === parsed.id);
    if (fenced && fenced.name !== by) fenced.checkPermission(`${by} fences ${fenced.name}`);
  }
}
