import { parseGroupKey } from '../../src/core/protocol/keys.js';
import { Drops } from './checks/drops.js';
import { Handling } from './checks/handling.js';
import { Judge } from './checks/judge.js';
import { Ledger } from './checks/ledger.js';
import { SimMember } from './member.js';
import type { Latency } from './model/connection.js';
import type { HandlerProfile } from './model/handler.js';
import { Random } from './model/random.js';
import { Server } from './model/server.js';
import type { StoreCopy } from './model/store.js';
import { Timeline } from './model/timeline.js';

/** What a run is made of. */
export interface WorldSettings {
  group: string;
  members: number;
  partitions: number;
  ttlMs: number;
  probeEveryMs: number;
  /** Probing is not permitted: the ttl alone decides. */
  denied: boolean;
  /** So many members may not answer probes. */
  mute: number;
  /** Rates of clocks differ from true time by up to this much. */
  clockError: number;
  latency: Latency;
  drainTimeoutMs: number;
  /** Handlers of one partition side by side, each of another key. */
  concurrency: number;
  /** How many messages a member may have in memory. */
  bufferMessages: number;
  handlers: HandlerProfile;
  /** Members read all partitions with one reader, as keyed groups do. */
  shared: boolean;
  /** What follows the last failed attempt of a message. */
  onExhausted: 'skip' | 'halt' | 'dead-letter';
  /** An attempt that takes longer has failed. */
  handlerTimeoutMs: number | undefined;
  /** Messages a second. */
  publishRate: number;
}

const KEYS = ['a', 'b', 'c', 'd', 'e'] as const;

/** How often a condition that a run waits for is looked at. */
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
  readonly members: SimMember[] = [];
  /** Readers opened, by partition. */
  readonly opens: number[];
  isPublishing = false;
  /** What somebody does to entries of the bucket in this run: either damage, or loss, which might bring damage back. */
  harm: 'damage' | 'loss' | undefined;

  constructor(settings: WorldSettings, random: Random, trace: ((line: string) => void) | undefined) {
    this.settings = settings;
    this.random = random;
    this.server = new Server(this.timeline, new Random(random.seed()), settings.partitions);
    this.judge = new Judge(() => this.timeline.now, trace);
    this.ledger = new Ledger(
      this.judge,
      this.server.log,
      settings,
      (sequence) =>
        // What was handled behind a key that waits comes again when its partition starts again.
        settings.concurrency > 1 || this.handling.handledWhenTold(sequence),
    );
    this.drops = new Drops(this.judge, this.ledger, settings.shared);
    this.handling = new Handling(this.judge, this.ledger, this.server.log, settings);
    this.opens = new Array<number>(settings.partitions).fill(0);
    this.server.store.observe((entry, writer) => {
      if (entry.value === null) this.#checkPermission(entry.key, writer);
      this.ledger.applied(entry, writer);
    });
  }

  /** The members that should own partitions. */
  get active(): SimMember[] {
    return this.members.filter((member) => member.isMember);
  }

  /** `quota`: it leaves after so many messages. */
  join(quota?: number): SimMember {
    const member = new SimMember(this, `m${this.members.length + 1}`, quota);
    this.members.push(member);
    this.judge.note(`${member.name} joins`);
    return member;
  }

  readerOpened(partition: number): void {
    this.opens[partition] = (this.opens[partition] ?? 0) + 1;
  }

  /** A message arrives in a partition. */
  store(partition: number): void {
    const key = this.settings.concurrency > 1 ? this.random.pick(KEYS) : null;
    this.server.log.append(partition, key);
  }

  /** Publishes to random partitions at the run's rate until `isPublishing` is false. */
  publish(): void {
    this.isPublishing = true;
    const next = (): void => {
      if (!this.isPublishing) return;
      if (this.server.isUp) this.store(this.random.int(0, this.settings.partitions - 1));
      this.timeline.after(this.random.between(0, 2_000 / this.settings.publishRate), next);
    };
    next();
  }

  /** Somebody takes entries out of the bucket's stream: no mark is left, and no watch tells. */
  lose(matches: (key: string) => boolean): void {
    const lost = this.server.store.lose(matches);
    this.judge.note(`the bucket loses ${lost.map(({ key }) => key).join(' ')}`);
    this.ledger.lose(lost);
  }

  /** The server starts with an older copy of the bucket. */
  putBack(copy: StoreCopy): void {
    this.judge.note(`the bucket goes back to revision ${copy.revision}`);
    this.server.store.putBack(copy);
    this.ledger.goBack(copy.entries);
    this.handling.goBack();
  }

  sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.timeline.after(forMs, resolve);
    });
  }

  /** Waits until the condition holds; false when it does not within the bound. */
  async until(holds: () => boolean, boundMs: number): Promise<boolean> {
    const end = this.timeline.now + boundMs;
    while (!holds()) {
      if (this.timeline.now >= end) return false;
      await this.sleep(LOOK_EVERY_MS);
    }
    return true;
  }

  /** Nobody may be fenced who could still start a handler. */
  #checkPermission(key: string, by: string): void {
    const parsed = parseGroupKey(this.settings.group, key);
    if (parsed.kind !== 'session') return;
    // Whoever has another session by now may go on under that one.
    const fenced = this.members.find(({ member }) => member.id === parsed.id);
    if (fenced && fenced.name !== by) fenced.checkPermission(`${by} fences it`);
  }
}
