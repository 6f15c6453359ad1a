import { setTimeout as sleep } from 'node:timers/promises';
import type { CliExit } from '../../support/cli.js';
import type { Fault } from './field.js';
import { outcomeOf } from './outcome.js';
import { resize } from './resize-fault.js';

const release: Fault = {
  kind: 'release',
  isPossible: ({ members, serverDown }) => !serverDown && members.idle.length > 1,
  async strike({ random, members, recording, partitions, command }) {
    const owner = random.chance(0.3) ? random.oneOf(members.idle)?.name : undefined;
    const what = owner === undefined ? [`${random.int(0, partitions - 1)}`] : ['--owner', owner];
    const end = recording.fault('release', what.join(' '));
    end(outcomeOf(await command(['leases', 'release', ...what])));
  },
};

/** An operator pauses a partition for some time. Between `rested` and `resumedAt`, its messages must not be handled. */
const pause: Fault = {
  kind: 'pause',
  isPossible: ({ paused, serverDown }) => paused.size === 0 && !serverDown,
  async strike(field) {
    const { random, recording, paused, command } = field;
    const partition = random.int(0, field.partitions - 1);
    paused.add(partition);
    const end = recording.fault('pause', `${partition}`);
    const pausing = await command(['leases', 'pause', `${partition}`]);
    const rested = recording.now();
    await sleep(random.between(500, 3_000));
    const resumedAt = recording.now();
    let resuming: CliExit;
    do {
      resuming = await command(['leases', 'resume', `${partition}`]);
      // After a resize, the partition and its pause may no longer exist.
    } while (resuming.code !== 0 && partition < field.partitions);
    paused.delete(partition);
    end(outcomeOf(pausing), pausing.code === 0 ? [rested, resumedAt] : undefined);
  },
};

/** Actions of operators. */
export const operatorFaults: readonly Fault[] = [release, pause, resize];
