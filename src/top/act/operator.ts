import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending, EndOrder } from '../../core/admin/end-member.js';
import type { Joining } from '../../core/admin/follow-joining.js';
import type { GroupAdmin } from '../../core/admin/group-admin.js';
import type { HeldUpOutcome } from '../../core/admin/held-up.js';
import { describeGone } from '../../core/admin/members.js';
import type { ReleaseOutcome } from '../../core/admin/release.js';
import type { StreamAdmin } from '../../core/admin/stream-admin.js';
import { NatspocError } from '../../core/lib/errors.js';
import { explain } from '../../core/nats/client/outcome.js';
import { type LetterBox, StreamLetters } from './letter-box.js';

/** The actions on the shown group. Failed actions reject with a NatspocError whose message is one line. */
export interface Operator {
  readonly letters: LetterBox;
  /** Makes the owner hand a partition over to the member with the fewest partitions. */
  release(partition: number): Promise<ReleaseOutcome>;
  /** Pauses or resumes a partition. Resolves with the reason if the owner has not paused the partition yet. */
  pause(partition: number, paused: boolean): Promise<string | undefined>;
  /** Makes the owner retry a partition now: the message that holds it up, or the whole partition if it is halted. */
  retry(partition: number): Promise<HeldUpOutcome>;
  /** Makes the owner skip the message that holds its partition up. */
  skip(message: { partition: number; sequence: number; deadLetter: boolean }): Promise<HeldUpOutcome>;
  /**
   * Ends a member as `order` specifies, and waits until other members own its partitions. If the request could not be sent, resolves with
   * the reason.
   */
  end(session: string, order: EndOrder): Promise<Ending | string>;
  /** Asks a member over NATS to leave. If the member refuses, resolves with the reason. */
  askToStop(session: string): Promise<string | undefined>;
  /** Waits until a process of this machine has joined the group and has its share of partitions. Undefined if it does not join. */
  joined(pid: number, signal: AbortSignal): Promise<Joining | undefined>;
}

/** Time that a process needs to connect on a slow machine, in milliseconds. */
const START_UP_MS = 15_000;
/** Interval between checks whether the group exists. The new process may have to create it. */
const LOOK_MS = 200;

/** Acts on the group that is open when an action starts. Each action watches the leases to learn its outcome. */
export class GroupOperator implements Operator {
  readonly letters: LetterBox;
  readonly #opened: () => GroupAdmin | undefined;
  readonly #closing = new AbortController();

  constructor(opened: () => GroupAdmin | undefined, stream: () => Promise<StreamAdmin>) {
    this.#opened = opened;
    this.letters = new StreamLetters(stream, this.#closing.signal);
  }

  release(partition: number): Promise<ReleaseOutcome> {
    return this.#act(`release p${partition}`, async (group) => {
      const { signal } = this.#closing;
      const [outcome] = await group.following(
        (follower) => group.release(follower, [partition], { signal }),
        signal,
      );
      if (!outcome) throw new NatspocError('failed', `There is no partition ${partition}.`);
      return outcome;
    });
  }

  pause(partition: number, paused: boolean): Promise<string | undefined> {
    return this.#act(`${paused ? 'pause' : 'resume'} p${partition}`, async (group) => {
      const { signal } = this.#closing;
      const { unfinished } = await group.following(
        (follower) => group.pause(follower, [partition], paused, signal),
        signal,
      );
      return unfinished.get(partition);
    });
  }

  retry(partition: number): Promise<HeldUpOutcome> {
    return this.#act(`try p${partition} again`, async (group) => {
      const { signal } = this.#closing;
      const [outcome] = await group.following((follower) => group.retry(follower, [partition]), signal);
      if (!outcome) throw new NatspocError('failed', `There is no partition ${partition}.`);
      return outcome;
    });
  }

  skip(message: { partition: number; sequence: number; deadLetter: boolean }): Promise<HeldUpOutcome> {
    const { signal } = this.#closing;
    return this.#act(`give up message ${message.sequence}`, (group) =>
      group.following((follower) => group.skip(follower, message, signal), signal),
    );
  }

  end(session: string, order: EndOrder): Promise<Ending | string> {
    return this.#act('end the member', (group) => group.endMember(session, order, this.#closing.signal));
  }

  /** Stops waiting for outcomes. Requests that were sent still take effect. */
  close(): void {
    this.#closing.abort();
  }

  askToStop(session: string): Promise<string | undefined> {
    return this.#act('ask the member to stop', async (group) => {
      const answer = await group.askToStop(session);
      switch (answer.kind) {
        case 'taken':
          return undefined;
        case 'gone':
          return describeGone('it');
        case 'silent':
          return 'it does not answer; "natspoc leases release --owner … --force" takes its partitions away';
        case 'refused':
        case 'denied':
          return answer.message;
      }
    });
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
    if (!group) throw new NatspocError('stream-missing', 'The group does not exist yet.');
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
