import { bucketStream } from '../../src/core/nats/kv/bucket.js';
import { Random } from '../simulation/model/random.js';
import { disturb } from './faults/schedule.js';
import { Stage, type StageOptions } from './stage/stage.js';

const TRAFFIC = { keys: 64, mostPadding: 200 };
/** True for members that have their own network to the servers. */
const FIRST_MEMBERS = [false, true, false, true];
const MOST_MEMBERS = 6;
const TWIN_MEMBERS = [false, false];
const PROGRESS_MS = 30_000;

/** Runs chaos once and records everything for the judge. */
export async function playChaos(options: StageOptions): Promise<void> {
  const { minutes, ttlMs, tell } = options;
  const random = new Random(options.seed);
  const stage = await Stage.open(options);
  try {
    const { members, servers, recording, run } = stage;
    await stage.populate(FIRST_MEMBERS);
    const twin = servers.isCluster ? undefined : await Stage.twinOf(stage);
    await twin?.populate(TWIN_MEMBERS);
    const signal = await stage.startTraffic(random.seed(), TRAFFIC);
    const startedAt = performance.now();
    const progress = setInterval(() => {
      const minute = ((performance.now() - startedAt) / 60_000).toFixed(1);
      const names = members.present.map(({ name }) => name).join(' ');
      tell(`minute ${minute} of ${minutes}: ${recording.faultCount} faults, members ${names}`);
    }, PROGRESS_MS);
    try {
      await disturb({
        field: {
          ...{ random, members, servers, recording, ttlMs, mostMembers: MOST_MEMBERS },
          get partitions() {
            return stage.partitions;
          },
          isKeyed: options.keyed ?? false,
          resizing: false,
          wanted: options.faults,
          group: run.config.group,
          manager: run.topology.manager,
          streams: [run.topology.stream, bucketStream(run.config.bucket)],
          serverDown: false,
          restarting: false,
          paused: new Set(),
          lookAgain: () => stage.lookAgain(),
          command: (args) => stage.command(args),
        },
        durationMs: minutes * 60_000,
        rest: () => stage.rest(),
        signal,
      });
      await stage.rest();
    } finally {
      clearInterval(progress);
      await stage.finish();
      await twin?.finishAfter(stage);
      await twin?.closeBeside();
    }
  } finally {
    await stage.close();
  }
}
