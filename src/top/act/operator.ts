import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ending, type EndOrder, endMember } from '../../core/admin/end-member.js';
import { followJoining, type Joining } from '../../core/admin/follow-joining.js';
import type { GroupFollower } from '../../core/admin/follower.js';
import { operatorName } from '../../core/admin/operator.js';
import { changeOverride } from '../../core/admin/overrides.js';
import { type Patience, patienceOf } from '../../core/admin/patience.js';
import { untilResting } from '../../core/admin/pausing.js';
import { type ReleaseOutcome, releasePartitions } from '../../core/admin/release.js';
import { withFollower } from '../../core/admin/with-follower.js';
import type { Config } from '../../core/config/config.js';
import { NatspocError } from '../../core/lib/errors.js';
import { explain } from '../../core/nats/client/outcome.js';
import type { Bucket } from '../../core/ports/index.js';
import type { GroupObserver } from '../../core/ports/observer.js';
import type { ControlClient } from '../../core/protocol/member-orders.js';

/** What can be done to the group on the screen. Each rejects with a NatspocError that is one line for people. */
export interface Operator {
  /** Makes the owner hand a partition over, to whoever has least. */
  release(partition: number): Promise<ReleaseOutcome>;
  /** Makes a partition rest or go on. Resolves with the reason where it does not rest yet. */
  rest(partition: number, paused: boolean): Promise<string | undefined>;
  /** Ends a member by `order`, and follows its partitions. Resolves with the reason where it could not be told. */
  end(session: string, order: EndOrder): Promise<Ending | string>;
  /** Asks a member over NATS to leave. Resolves with the reason where it does not. */
  askToStop(session: string): Promise<string | undefined>;
  /** Waits until a process of this machine is in the group and has its share; undefined: it does not join. */
  joined(pid: number, signal: AbortSignal): Promise<Joining | undefined>;
}

/** A process needs so long until it is connected, on a slow machine. */
const START_UP_MS = 15_000;
/** The group may have to be made by the process: it is looked for so often. */
const LOOK_MS = 200;

/** An open group: what acting on it takes. */
export interface OpenGroup {
  observer: GroupObserver;
  bucket: Bucket;
  control: ControlClient;
  /** How many partitions it has. */
  partitions: number;
}

/**
 * Acts on the group that is open at that time. A watch of its own is there for as long as an action takes: outcomes
 * are told by what the leases say, not by what was asked for.
 */
export class GroupOperator implements Operator {
  readonly #config: Config;
  readonly #patience: Patience;
  readonly #opened: () => OpenGroup | undefined;
  readonly #closing = new AbortController();

  constructor(config: Config, opened: () => OpenGroup | undefined) {
    this.#config = config;
    this.#patience = patienceOf(config);
    this.#opened = opened;
  }

  release(partition: number): Promise<ReleaseOutcome> {
    return this.#act(`release p${partition}`, async ({ bucket, control }, follower) => {
      const { group } = this.#config;
      const order = { partitions: [partition], to: null, force: false, ...this.#patience };
      const [outcome] = await releasePartitions(
        { follower, control, bucket, group, signal: this.#closing.signal },
        order,
      );
      if (!outcome) throw new NatspocError('failed', `There is no partition ${partition}.`);
      return outcome;
    });
  }

  rest(partition: number, paused: boolean): Promise<string | undefined> {
    const doing = `${paused ? 'pause' : 'resume'} p${partition}`;
    return this.#act(doing, async ({ bucket, observer }, follower) => {
      await changeOverride(bucket, this.#config.group, partition, { paused }, operatorName());
      if (!paused) return undefined;
      const { restMs } = this.#patience;
      const { signal } = this.#closing;
      return (await untilResting({ observer, follower, signal }, [partition], restMs)).get(partition);
    });
  }

  end(session: string, order: EndOrder): Promise<Ending | string> {
    return this.#act('end the consumer', (_group, follower) =>
      endMember(follower, session, order, this.#patience.waitMs, this.#closing.signal),
    );
  }

  /** Waits for no outcome any more: what was ordered goes on without us. */
  close(): void {
    this.#closing.abort();
  }

  async askToStop(session: string): Promise<string | undefined> {
    const answer = await this.#group().control.ask(session, 'stop', undefined, this.#patience.answerMs);
    switch (answer.kind) {
      case 'taken':
        return undefined;
      case 'gone':
        return 'the server knows nobody of its session: it is gone, or takes no orders';
      case 'silent':
        return 'it does not answer; "natspoc leases release --owner … --force" takes its partitions';
      case 'refused':
      case 'denied':
        return answer.message;
    }
  }

  async joined(pid: number, signal: AbortSignal): Promise<Joining | undefined> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const deadline = performance.now() + START_UP_MS;
    while (!this.#opened() && performance.now() < deadline && !stop.aborted) {
      await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => {});
    }
    return this.#act('look for the consumer', ({ partitions }, follower) =>
      followJoining(
        follower,
        { host: hostname(), pid, partitions },
        START_UP_MS + this.#patience.waitMs,
        stop,
      ),
    );
  }

  #group(): OpenGroup {
    const group = this.#opened();
    if (!group) throw new NatspocError('stream-missing', 'There is no group to act on yet.');
    return group;
  }

  async #act<T>(doing: string, act: (group: OpenGroup, follower: GroupFollower) => Promise<T>): Promise<T> {
    try {
      const group = this.#group();
      return await withFollower(group.observer, this.#config, (follower) => act(group, follower));
    } catch (error) {
      throw explain(error, doing);
    }
  }
}
