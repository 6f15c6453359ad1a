import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../simulation/model/random.js';
import { PUBLISHER } from '../recording/records.js';
import { Stage, type StageOptions } from '../stage/stage.js';
import { MemorySampler, TRACE } from './memory.js';

export const MEMORY_FILE = 'memory.ndjson';

const TRAFFIC = { keys: 256, mostPadding: 24 };
/** Members that stay for the whole run. Only their memory is judged. */
const STEADY = 2;
/** A member is restarted each minute. One restart in {@link KILL_EVERY} is by SIGKILL. */
const RESTART_EVERY_MS = 60_000;
const KILL_EVERY = 5;

/** Plays a run with a steady load. Two members stay, and each minute one of two other members is restarted. */
export async function playSoak(options: StageOptions): Promise<void> {
  const { minutes, tell } = options;
  const random = new Random(options.seed);
  const stage = await Stage.open({ ...options, nodeArgs: TRACE });
  let memory: MemorySampler | undefined;
  try {
    const { members, servers, recording } = stage;
    const first = await stage.populate([false, false, false, false]);
    const steady = first.slice(0, STEADY);
    const restless = first.slice(STEADY);
    const signal = await stage.startTraffic(random.seed(), TRAFFIC);
    memory = new MemorySampler(join(options.folder, MEMORY_FILE), () => [
      ...servers.all.map((server) => ({ name: servers.nameOf(server), pid: server.pid, output: [] })),
      ...steady.map(({ name, cli }) => ({ name, pid: cli.pid, output: cli.stdout })),
      { name: PUBLISHER, pid: stage.publisher?.pid ?? 0, output: stage.publisher?.stdout ?? [] },
    ]);
    try {
      const startedAt = performance.now();
      for (let minute = 1; minute <= minutes; minute++) {
        // Restarts begin at full minutes, however long the previous restart takes.
        const dueMs = startedAt + minute * RESTART_EVERY_MS - performance.now();
        await sleep(Math.max(0, dueMs), undefined, { signal });
        const leaver = restless.shift();
        if (!leaver) break;
        const kills = minute % KILL_EVERY === 0;
        const end = recording.fault(kills ? 'kill' : 'leave', leaver.name);
        if (kills) end(`killed ${await members.kill(leaver)}`);
        else end(`exit code ${await members.leave(leaver)}`);
        const joiner = await members.start(false);
        const joined = recording.fault('join', joiner.name);
        restless.push(joiner);
        await joiner.cli.note(/^joined\b/, 60_000).catch(() => {});
        joined('joined');
        await stage.rest();
        tell(
          `minute ${minute} of ${minutes}: ${leaver.name} ${kills ? 'killed' : 'left'}, ${joiner.name} joined`,
        );
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      memory.stop();
      await stage.finish();
    }
  } finally {
    await stage.close();
  }
}
