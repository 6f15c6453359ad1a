import { NatspocError } from '../core/lib/errors.js';
import { connectionFlags } from './base-command.js';
import { allFlag, choosePartitions } from './choose-partitions.js';
import { Flags } from './oclif.js';
import { StreamCommand } from './stream-command.js';

/**
 * The flags of `leases pause` and `leases resume`. They are not static members of the parent class. Otherwise oclif's manifest would lack
 * the flags that all commands share.
 */
export const pauseFlags = {
  owner: Flags.string({
    description: 'all current partitions of this member (name or session id)',
    helpValue: 'NAME',
  }),
  all: allFlag,
  ...connectionFlags,
};

/** The common part of `leases pause` and `leases resume`. */
export abstract class PauseCommand extends StreamCommand {
  /** Pauses or resumes the chosen partitions, and reports the outcome. */
  protected async setPaused(
    flags: Readonly<Record<string, unknown>> & { owner: string | undefined; all: boolean; json: boolean },
    named: readonly string[],
    paused: boolean,
  ): Promise<void> {
    const signal = this.stopSignal();
    await this.withGroup(flags, `leases ${paused ? 'pause' : 'resume'}`, ({ stream, group }) =>
      group.following(async (follower) => {
        const request = { named, owner: flags.owner, all: flags.all };
        const partitions = choosePartitions(request, stream.layout.partitions, follower);
        const { changed, unfinished } = await group.pause(follower, partitions, paused, signal);
        this.#report(flags.json, paused, partitions, changed, unfinished);
      }),
    );
  }

  #report(
    json: boolean,
    paused: boolean,
    partitions: readonly number[],
    changed: readonly number[],
    unfinished: ReadonlyMap<number, string>,
  ): void {
    const pending = [...unfinished].map(([partition, message]) => ({ partition, message }));
    if (json) this.writeJson({ paused, partitions, changed, pending });
    else {
      const done = partitions.filter((partition) => !unfinished.has(partition));
      this.writeLines(
        done.map((partition) => {
          if (changed.includes(partition)) return `p${partition} ${paused ? 'paused' : 'resumed'}`;
          return `p${partition} was ${paused ? 'already' : 'not'} paused`;
        }),
      );
    }
    if (pending.length === 0) return;
    const list = pending.map(({ partition, message }) => `p${partition}: ${message}`).join('; ');
    const message = `The pause is stored, but some partitions have not stopped yet: ${list}.`;
    if (json) process.exitCode = 1;
    else throw new NatspocError('failed', message);
  }
}
