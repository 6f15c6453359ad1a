import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending, EndOrder } from '../../core/admin/end-member.js';
import type { Joining } from '../../core/admin/follow-joining.js';
import type { GroupAdmin } from '../../core/admin/group-admin.js';
import type { ReleaseOutcome } from '../../core/admin/release.js';
import { NatspocError } from '../../core/lib/errors.js';
import { explain } from '../../core/nats/client/outcome.js';

/** What can be done to the group on the screen. Each rejects with a NatspocError that is one line for people. */
export interface Operator {
  /** Makes the owner hand a partition over to the member that has the fewest. */
  release(partition: number): Promise<ReleaseOutcome>;
  /** Pauses or resumes a partition. Resolves with the reason where its owner has not paused it yet. */
  pause(partition: number, paused: boolean): Promise<string | undefined>;
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

/**
 * Acts on the group that is open at that time. A watch of its own is there for as long as an action takes: outcomes
 * are told by what the leases say, not by what was asked for.
 */
export class GroupOperator implements Operator {
  readonly #opened: () => GroupAdmin | undefined;
  readonly #closing = new AbortController();

  constructor(opened: () => GroupAdmin | undefined) {
    this.#opened = opened;
  }

  release(partition: number): Promise<ReleaseOutcome> {
    return this.#act(`release p${partition}`, async (group) => {
      const { signal } = this.#closing;
      const [outcome] = await group.following((follower) => group.release(follower, [partition], { signal }));
      if (!outcome) throw new NatspocError('failed', `There is no partition ${partition}.`);
      return outcome;
    });
  }

  pause(partition: number, paused: boolean): Promise<string | undefined> {
    return this.#act(`${paused ? 'pause' : 'resume'} p${partition}`, async (group) => {
      const { signal } = this.#closing;
      const { restless } = await group.following((follower) =>
        group.pause(follower, [partition], paused, signal),
      );
      return restless.get(partition);
    });
  }

  end(session: string, order: EndOrder): Promise<Ending | string> {
    return this.#act('end the member', (group) => group.endMember(session, order, this.#closing.signal));
  }

  /** Stops waiting for outcomes. What was ordered still happens. */
  close(): void {
    this.#closing.abort();
  }

  async askToStop(session: string): Promise<string | undefined> {
    const answer = await this.#group().askToStop(session);
    switch (answer.kind) {
      case 'taken':
        return undefined;
      case 'gone':
        return 'no member answers for its session: it is gone, or takes no orders';
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
    return this.#act('look for the new member', (group) =>
      group.joining({ host: hostname(), pid }, START_UP_MS, stop),
    );
  }

  #group(): GroupAdmin {
    const group = this.#opened();
    if (!group) throw new NatspocError('stream-missing', 'There is no group to act on yet.');
    return group;
  }

  async #act<T>(doing: string, act: (group: GroupAdmin) => Promise<T>): Promise<T> {
    try {
      return await act(this.#group());
    } catch (error) {
      throw explain(error, doing);
    }
  }
}
