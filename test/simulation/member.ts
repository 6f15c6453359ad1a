import type { NatspocError } from '../../src/core/lib/errors.js';
import { MemberEngine } from '../../src/core/member/engine/engine.js';
import { CrashedOwners } from '../../src/core/member/partition/caution.js';
import { Quota } from '../../src/core/member/partition/quota.js';
import type { Report } from '../../src/core/protocol/events.js';
import { timingFor } from '../../src/core/protocol/timing.js';
import { Fairness } from './checks/fairness.js';
import { SimBucket } from './model/bucket.js';
import { SimClient } from './model/client.js';
import { Connection } from './model/connection.js';
import { SimIdentities, SimLink, SimProber } from './model/control.js';
import { SimDeadLetters } from './model/dead-letters.js';
import { type HandlerProfile, simulatedHandler } from './model/handler.js';
import { Process } from './model/process.js';
import { Random } from './model/random.js';
import { type ReaderObserver, SimStream, slotOf } from './model/stream.js';
import type { StreamFaults } from './model/stream-api.js';
import type { World } from './world.js';

/** After a fault of its connection or process, a reader reports silence well within this time. */
const TROUBLE_MS = 8_000;

/** The permitted errors of a member that may not read the stream. */
const REFUSALS: ReadonlySet<string> = new Set(['not-permitted', 'stream-missing']);

/** One member: the real engine and protocol, in a simulated process with a simulated connection. */
export class SimMember {
  readonly name: string;
  readonly process: Process;
  readonly connection: Connection;
  readonly bucket: SimBucket;
  readonly client: SimClient;
  readonly profile: HandlerProfile;
  readonly member: MemberEngine;
  readonly #world: World;
  readonly #fairness: Fairness;
  #stream: SimStream;
  hasJoined = false;
  isLeaving = false;
  #isRefused = false;
  isGone = false;

  /** The name in the group. A restarted process keeps it. */
  readonly knownAs: string;

  /**
   * @param name unique in this world.
   * @param quota the member leaves after this number of messages.
   * @param knownAs see {@link SimMember.knownAs}.
   */
  constructor(world: World, name: string, quota?: number, knownAs = name) {
    const { timeline, server, ledger, handling, settings, judge } = world;
    const random = new Random(world.random.seed());
    let handled = 0;
    this.#world = world;
    this.name = name;
    this.knownAs = knownAs;
    this.profile = { ...settings.handlers };
    this.process = new Process(timeline, random, {
      rate: random.between(1 - settings.clockError, 1 + settings.clockError),
      offset: random.between(0, 1e6),
    });
    this.connection = new Connection(timeline, random, server, this.process, settings.latency);
    const answerMs = settings.ttlMs / 5;
    this.client = new SimClient({ timeline, random, server, connection: this.connection }, name, answerMs);
    const timing = timingFor(settings.ttlMs, settings.probeEveryMs);
    this.bucket = new SimBucket(
      this.client,
      answerMs,
      (key, value) => ledger.sending(name, key, value),
      () => ledger.losses.sees(name),
    );
    this.#fairness = new Fairness(
      judge,
      (partition) => this.#held(partition),
      (partition) => (ledger.position(partition).crashes ?? 0) > 0,
    );
    const budget = { messages: settings.bufferMessages, bytes: settings.bufferBytes };
    const newName = (): string => sharedReaderName(settings.group, random);
    const streamOf = (partitions: number): SimStream => {
      const shared = { clock: this.process.clock, partitions, budget, newName, isSlotted: world.isSlotted };
      return new SimStream(this.client, this.#readers(), settings.shared ? shared : undefined);
    };
    this.#stream = streamOf(settings.partitions);
    this.member = new MemberEngine(
      {
        group: settings.group,
        name: knownAs,
        host: 'simulated',
        pid: 1,
        version: '0.0.0',
        partitions: settings.partitions,
        layout: world.layout,
        timing,
        start: { seq: 0 },
        runner: {
          commit: { intervalMs: 200, every: 1_000 },
          failure: { maxAttempts: 3, backoff: { baseMs: 50, maxMs: 500 }, onExhausted: settings.onExhausted },
          drainTimeoutMs: settings.drainTimeoutMs,
          maxCrashes: 3,
          concurrency: settings.concurrency,
          handlerTimeoutMs: settings.handlerTimeoutMs,
        },
        budget,
        seed: random.seed(),
      },
      {
        bucket: this.bucket,
        stream: this.#stream,
        ...(settings.resizing && {
          partitionIn: (message, { partitions, prefix }) =>
            prefix === undefined ? slotOf(message) % partitions : slotOf(message),
          resized: ({ partitions }: { partitions: number }) => {
            this.#stream = streamOf(partitions);
            this.#fairness.resized();
            return { stream: this.#stream, layout: undefined };
          },
        }),
        prober: new SimProber(server, this.connection, Math.max(100, settings.probeEveryMs), settings.denied),
        identities: new SimIdentities(this.connection, random, random.chance(settings.mute), (id) =>
          ledger.identified(id, name),
        ),
        link: new SimLink(this.connection),
        quota: quota === undefined ? undefined : new Quota(quota),
        deadLetters: new SimDeadLetters(this.connection, random, world.server.dead, (sequence) =>
          handling.skipped(sequence),
        ),
        clock: this.process.clock,
        handler: simulatedHandler(name, this.process, random, this.profile, {
          started: (call) => {
            this.#fairness.started(call);
            handling.started(call);
          },
          kills: ({ sequence }) => {
            if (!world.poison.kills(sequence)) return false;
            judge.note(`message ${sequence} ends its process`);
            this.crash(true);
            timeline.after(random.between(100, 2_000), () => world.join());
            return true;
          },
          ended: (call, how) => {
            handling.ended(call, how);
            this.#fairness.ended(call, how);
          },
        }),
      },
      {
        report: (report) => {
          if (report.type === 'joined') this.hasJoined = true;
          if (judge.isTracing) judge.note(describe(name, report));
        },
        partition: (partition) => ({
          handled: () => {
            if (quota === undefined || ++handled < quota) return;
            if (handled > quota) judge.violate('quota', `${name} handles ${handled} messages, not ${quota}`);
            this.leave();
          },
          trimmed: (trimmed) => world.drops.told(partition, trimmed),
          attemptFailed: (message, _attempt, error, then) => {
            if (error instanceof CrashedOwners) world.poison.blamed(message.sequence);
            if (then === 'skip') handling.skipped(message.sequence);
          },
        }),
      },
    );
    this.member.closed.then(
      () => this.#closed(),
      (error: NatspocError) => {
        if (this.#isRefused && REFUSALS.has(error.code)) this.#closed();
        else judge.violate('ended', `${name} ended: ${error.message}`);
      },
    );
    this.member.start();
  }

  /** True while the member should own partitions. */
  get isMember(): boolean {
    return !this.isLeaving && !this.isGone;
  }

  /** @param rejoinWithinMs how long the member's partitions are kept for its restart. 0: not at all. */
  leave(rejoinWithinMs = 0): void {
    if (!this.isMember) return;
    this.isLeaving = true;
    const kept = rejoinWithinMs > 0 ? `, to return within ${Math.round(rejoinWithinMs)} ms` : '';
    this.#world.judge.note(`${this.name} is asked to leave${kept}`);
    // `closed` reports how the member ends.
    this.process.receive(() => void this.member.leave(rejoinWithinMs).catch(() => {}));
  }

  /** Ends the process silently. If `noticed`, the server sees that the connection closes. */
  crash(noticed: boolean): void {
    if (this.isGone) return;
    this.#world.judge.note(`${this.name} crashes${noticed ? '' : ', unnoticed by the server'}`);
    this.#gone(noticed);
  }

  /** From now on, refuses the member's requests to the stream. At its next request the member must end with this error. */
  refuse(refuses: StreamFaults['refuses'], why: StreamFaults['why']): void {
    this.#isRefused = true;
    Object.assign(this.client.stream.faults, { refuses, why });
  }

  /** Ends the member now if its requests are refused. Otherwise it would end at its next request, possibly much later. */
  endIfRefused(): void {
    if (this.#isRefused) this.crash(true);
  }

  /** Checks a member whose session is gone or being deleted. It must not start a handler any more. */
  checkPermission(because: string): void {
    const leftMs = this.member.permittedUntil - this.process.clock.now();
    if (this.process.isDead || leftMs <= 0) return;
    this.#world.judge.violate(
      'I4',
      `${because}, but ${this.name} may start handlers for another ${leftMs.toFixed(1)} ms`,
    );
  }

  pause(forMs: number): void {
    const { timeline, judge, handling, ledger } = this.#world;
    if (!this.process.isRunning) return;
    judge.note(`${this.name} is stopped for ${Math.round(forMs)} ms`);
    this.process.pause();
    timeline.after(forMs, () => {
      if (!this.process.isPaused) return;
      judge.note(`${this.name} continues`);
      this.process.resume();
      handling.woke(this.name, (delayMs, check) => timeline.after(delayMs, check));
      timeline.after(0, () => {
        const id = this.member.id ?? '';
        if (!ledger.sessions.has(id) && !ledger.losses.hasLostSession(id))
          this.checkPermission(`${this.name} wakes after it was fenced`);
      });
    });
  }

  /** How many messages of a partition are in memory. Undefined while the partition does not run. */
  #held(partition: number): number | undefined {
    const status = this.member.status.partitions.find((each) => each.partition === partition);
    return status?.state === 'running' ? status.lag - this.#stream.pending(partition) : undefined;
  }

  /** Whatever happens to its readers, a member never holds more messages of a partition than its window. */
  #readers(): ReaderObserver {
    const { judge } = this.#world;
    return {
      opened: ({ partition, name, startSequence }) => {
        this.#world.handling.opened(partition, epochOf(name), startSequence);
        this.#fairness.opened(partition);
        this.#world.readerOpened(partition);
      },
      faulted: (partition, fault) => {
        if (fault === 'foreign' && this.#world.settings.shared) {
          this.#world.handling.mistrusted(partition);
          this.#world.ledger.mistrusted(partition);
        }
        const quietMs = judge.now - Math.max(this.connection.troubledAt, this.process.wokeAt);
        if (fault === 'silent' && this.connection.isUp && !this.process.isPaused && quietMs > TROUBLE_MS)
          judge.violate('I10', `${this.name} gives up the reader of p${partition} without a fault`);
      },
      arrives: ({ partition, name }, sequence, isWhole) => {
        if (!isWhole) judge.violate('I2', `${this.name} takes message ${sequence} without its payload`);
        this.#world.handling.received(partition, epochOf(name), sequence);
        this.#fairness.arrives(partition);
      },
      received: (partition, window) => {
        const held = this.#held(partition) ?? 0;
        if (held > window)
          judge.violate(
            'I11',
            `${this.name} holds ${held} messages of p${partition}, but its window is ${window}`,
          );
      },
    };
  }

  #closed(): void {
    this.#world.judge.note(`${this.name} has left`);
    this.#gone(true);
  }

  #gone(noticed: boolean): void {
    this.isGone = true;
    this.process.die();
    this.connection.end(noticed);
    this.#world.handling.died(this.name);
  }
}

const sharedReaderName = (group: string, random: Random): string => `natspoc-${group}-s${random.seed()}`;

/** A reader's name ends with its epoch and a token. */
const epochOf = (reader: string): number => Number(/-e(\d+)-[0-9a-f]+$/.exec(reader)?.[1]);

function describe(name: string, report: Report): string {
  return `${name}: ${Object.values(report).join(' ')}`;
}
