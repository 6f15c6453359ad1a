/**
 * `npm run chaos:cuts -- [--rounds 10] [--hold 15000] [--work 200]` repeatedly isolates one server of a three-server cluster: alternately
 * the bucket's leader and a follower. Each server has one member. Prints the times from the last call of the isolated owner to the first
 * call of the next owner. NATS_SERVER_BIN selects the server. Exit code 5 means a violation. The folder with the records is then kept.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bucketStream } from '../../src/core/nats/kv/bucket.js';
import { OPTIONS, playIn } from './command.js';
import { distancesDuring } from './judging/distances.js';
import { judgeFolder } from './judging/judge.js';
import type { FaultSpan } from './recording/history.js';
import { Stage, type StageOptions } from './stage/stage.js';

const { values } = parseArgs({
  options: {
    ...OPTIONS,
    rounds: { type: 'string', default: '10' },
    hold: { type: 'string', default: '15000' },
    work: { type: 'string', default: '200' },
  },
});
const SIDES = ['leader', 'follower'] as const;

async function playCuts(options: StageOptions): Promise<void> {
  const stage = await Stage.open(options);
  try {
    const { members, servers, recording, run } = stage;
    const { manager, stream } = run.topology;
    const streams = [stream, bucketStream(run.config.bucket)];
    await stage.shared(servers.all.map((server) => members.startAt(server)));
    await stage.startTraffic(1, { keys: 64, mostPadding: 100 });
    for (const member of members.present) members.behave(member, { kind: 'slow', ms: Number(values.work) });
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const side of SIDES) {
        const leader = await servers.leaderOf(manager, bucketStream(run.config.bucket));
        const server = side === 'leader' ? leader : servers.all.find((each) => each !== leader);
        if (!server) throw new Error('the bucket has no leader');
        const end = recording.fault('route-cut', `${servers.nameOf(server)} ${side}`);
        const heal = servers.cut(server, { direction: 'both', manner: round % 2 === 0 ? 'refused' : 'held' });
        await sleep(Number(values.hold));
        heal();
        await servers.complete(manager, streams);
        end(side);
        await stage.rest();
      }
      options.tell(`round ${round} of ${values.rounds}`);
    }
    for (const member of members.present) members.behave(member, { kind: 'normal' });
    await stage.finish();
  } finally {
    await stage.close();
  }
}

const { folder } = await playIn(
  'cuts',
  { ...values, minutes: '1', rate: '24', ttl: '10000', servers: '3' },
  playCuts,
);
const { verdict, history } = judgeFolder(folder);
const calls = Array.from({ length: verdict.settings.partitions }, (_, partition) =>
  history.calls.filter((call) => call.partition === partition),
);
for (const side of SIDES) {
  const cuts = history.faults.filter(({ outcome }: FaultSpan) => outcome === side);
  const distances = cuts.map((cut) => Math.min(...distancesDuring(calls, [cut])));
  const shown = distances.map((ms) => (Number.isFinite(ms) ? Math.round(ms) : 'none moved')).join(', ');
  console.log(
    `${verdict.settings.serverVersion}, ${side} cut off, ms from the last call to the next owner's first: ${shown}`,
  );
}
for (const { charge, text } of verdict.violations) console.log(`${charge}: ${text}`);
console.log(verdict.ok ? 'nothing violated' : `VIOLATED, the records are kept in ${folder}`);
if (verdict.ok && !values.keep) rmSync(folder, { recursive: true });
process.exitCode = verdict.ok ? 0 : 5;
