import { setTimeout as sleep } from 'node:timers/promises';
import { bucketStream } from '../../src/core/nats/kv/bucket.js';
import { Random } from '../simulation/model/random.js';
import { resizeTo } from './faults/resize-fault.js';
import { restart } from './faults/server-faults.js';
import { Stage, type StageOptions } from './stage/stage.js';

/** The partitions at the start of a round. `COUNTS` are the partitions after each of its resizes. */
export const FIRST_COUNT = 8;
const COUNTS = [64, 8, 12];
const MEMBERS = [false, false, false, false];
/**
 * A member is killed at most this long after the request for a resize. A kill can therefore hit before, during and after each step of the
 * resize.
 */
const KILL_WITHIN_MS = 900;
/** The server is killed at most this long after the member. */
const SERVER_WITHIN_MS = 500;
/** Keys for each message per second. The plain client has at most one message of each key in flight, so a higher rate needs more keys. */
const KEYS_SHARE = 0.2;

/**
 * Plays one round. Four members share a group that is resized from 8 partitions to 64, 8 and 12 while messages are published. A member is
 * killed in each resize. In one of the three resizes, a server is killed, too. Which one depends on `round`.
 */
export async function playResizes(options: StageOptions, round: number): Promise<void> {
  const random = new Random(options.seed);
  const stage = await Stage.open(options);
  try {
    const { members, recording, servers, run } = stage;
    const { manager, stream } = run.topology;
    const streams = [stream, bucketStream(run.config.bucket)] as const;
    const field = { random, servers, recording, manager, streams, serverDown: false };
    await stage.populate(MEMBERS);
    await stage.startTraffic(random.seed(), {
      keys: Math.max(64, options.rate * KEYS_SHARE),
      mostPadding: 50,
    });
    await sleep(random.between(500, 1_500));
    for (const [step, to] of COUNTS.entries()) {
      const command = (args: readonly string[]) => stage.command(args);
      const resizing = resizeTo({ recording, command, partitions: stage.partitions }, to);
      await sleep(random.between(0, KILL_WITHIN_MS));
      const victim = random.oneOf(members.idle);
      if (!victim) throw new Error('there is no member to kill');
      const end = recording.fault('kill', victim.name);
      await members.kill(victim);
      end('killed');
      if (step === round % COUNTS.length) {
        await sleep(random.between(0, SERVER_WITHIN_MS));
        const server = random.oneOf(servers.all);
        if (server) await restart(field, 'server-kill', server);
      }
      await members.start(false);
      await resizing;
      await stage.rest();
    }
    await stage.finish();
  } finally {
    await stage.close();
  }
}
