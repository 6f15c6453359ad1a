import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../core/lib/errors.js';
import { type HandledMessage, judge, longestPause, longestSilence, type Verdict } from './judge.js';
import type { Ownership, OwnershipChange } from './ownership.js';
import { describeChanges, ownershipPicture } from './picture.js';
import type { NatspocProcess } from './processes.js';
import { caughtUp, flowsAgain, readPublished } from './traffic.js';

/** A change that the demo made, and its effect. */
export interface Takeover {
  event: string;
  partitions: number[];
  /**
   * Longest pause of a moved partition, in milliseconds. After the kill of a server: longest pause of any partition. Null if there was no
   * traffic.
   */
  pauseMs: number | null;
}

/** The result of the demo, as `--json` prints it. */
export interface DemoResult extends Omit<Verdict, 'samples'> {
  takeovers: Takeover[];
  ok: boolean;
}

/** How long the group may take to settle after a change, in milliseconds. */
const REST_TIMEOUT_MS = 30_000;
const NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'niaj',
];

const nameOf = (index: number): string => NAMES[index] ?? `consumer-${index + 1}`;

/** The inputs of a scenario. */
export interface Stage {
  consumers: number;
  partitions: number;
  durationMs: number;
  folder: string;
  ownership: (onChange: (change: OwnershipChange) => void) => Ownership;
  startConsumer: (name: string, onMessage: (message: HandledMessage) => void) => NatspocProcess;
  startPublisher: (confirmedFile: string) => NatspocProcess;
  rate: number;
  /** In a cluster: kills a server and returns its name. */
  killServer?: () => Promise<string>;
  /** The sequence of the newest message. */
  lastSequence?: () => Promise<number>;
  tell: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Runs the demo: members share the partitions, one joins, one leaves, one is killed. At the end, the published messages are compared with
 * the handled messages.
 *
 * @throws NatspocError `failed` if the group does not settle, or the publisher ends too early.
 */
export async function playScenario(given: Stage): Promise<{ result: DemoResult; verdict: Verdict }> {
  const failure = new AbortController();
  const signal = AbortSignal.any([given.signal, failure.signal]);
  try {
    return await play({ ...given, signal }, (error) => failure.abort(error));
  } catch (error) {
    // The failure of a process aborted the wait, so report that failure.
    throw failure.signal.aborted ? failure.signal.reason : error;
  }
}

async function play(
  stage: Stage,
  fail: (error: NatspocError) => void,
): Promise<{ result: DemoResult; verdict: Verdict }> {
  const { consumers, partitions, durationMs, tell } = stage;
  const handled: HandledMessage[] = [];
  const running = new Map<string, NatspocProcess>();
  const takeovers: (Omit<Takeover, 'pauseMs'> & { pause: () => number | null })[] = [];
  let changes: OwnershipChange[] = [];
  const ownership = stage.ownership((change) => changes.push(change));

  const start = (name: string): void => {
    running.set(
      name,
      stage.startConsumer(name, (message) => handled.push(message)),
    );
  };
  const rest = async (title: string): Promise<void> => {
    const names = [...running.keys()];
    if (!(await ownership.balanced(names, partitions, REST_TIMEOUT_MS, stage.signal))) {
      stage.signal.throwIfAborted();
      const notes = [...running.values()].flatMap(({ name, notes: lines }) =>
        lines.slice(-3).map((l) => `${name}: ${l}`),
      );
      throw new NatspocError('failed', `The group did not settle after "${title}".\n${notes.join('\n')}`);
    }
    for (const line of describeChanges(changes)) tell(`    ${line}`);
    for (const line of ownershipPicture(names, ownership.owners, partitions)) tell(`      ${line}`);
  };
  const change = async (event: string, title: string, act: () => unknown, since?: number): Promise<void> => {
    const before = ownership.owners;
    changes = [];
    tell(title);
    await act();
    await rest(title);
    const moved = new Map<number, number>();
    for (const [partition, owner] of ownership.owners) {
      if (before.get(partition)?.session !== owner.session) moved.set(partition, owner.epoch);
    }
    const until = performance.now();
    takeovers.push({
      event,
      partitions: [...moved.keys()].sort((a, b) => a - b),
      pause: () =>
        since === undefined ? longestPause(handled, moved) : longestSilence(handled, since, until),
    });
  };
  const last = (): NatspocProcess => {
    const process = [...running.values()].at(-1);
    if (!process) throw new NatspocError('failed', 'No member is left.');
    return process;
  };

  tell(`${consumers} members start and share ${partitions} partitions`);
  for (let i = 0; i < consumers; i++) start(nameOf(i));
  await rest('start');

  const confirmedFile = join(stage.folder, 'confirmed.ndjson');
  const publisher = stage.startPublisher(confirmedFile);
  const publisherFailed = async () =>
    new NatspocError('failed', `The publisher ended too early, ${await publisher.ending()}`);
  let stopping = false;
  void publisher.exited.then(async () => {
    if (!stopping) fail(await publisherFailed());
  });
  tell('the publisher starts: keyed, numbered messages');
  const pauseMs = durationMs / 4;
  await sleep(pauseMs, undefined, { signal: stage.signal });

  const joining = nameOf(consumers);
  await change('join', `${joining} joins`, () => start(joining));
  await sleep(pauseMs, undefined, { signal: stage.signal });

  const leaving = running.get(nameOf(0)) ?? last();
  await change('leave', `${leaving.name} leaves (SIGTERM)`, async () => {
    running.delete(leaving.name);
    leaving.signal('SIGTERM');
    const { code } = await leaving.exited;
    if (code !== 0) throw new NatspocError('failed', `${leaving.name} left ${await leaving.ending()}`);
  });
  await sleep(pauseMs, undefined, { signal: stage.signal });

  const victim = last();
  await change('kill', `${victim.name} is killed (SIGKILL)`, async () => {
    running.delete(victim.name);
    victim.signal('SIGKILL');
    await victim.exited;
  });
  await sleep(pauseMs, undefined, { signal: stage.signal });

  if (stage.killServer && stage.lastSequence) {
    const newest = await stage.lastSequence();
    const title = `server ${await stage.killServer()}, the leader of the stream, is killed (SIGKILL)`;
    // Wait until each partition has handled a message that was published about a second after the kill. All messages in flight at the kill
    // are stored before it.
    const flows = () => flowsAgain(handled, { partitions, after: newest + stage.rate, signal: stage.signal });
    await change('server kill', title, flows, performance.now());
    await sleep(pauseMs, undefined, { signal: stage.signal });
  }

  tell('the publisher stops');
  stopping = true;
  publisher.signal('SIGINT');
  if ((await publisher.exited).code !== 0) throw await publisherFailed();
  const published = readPublished(confirmedFile);
  await caughtUp(published, handled, stage.signal);
  tell('the members leave');
  for (const process of running.values()) process.signal('SIGTERM');
  await Promise.all([...running.values()].map((process) => process.exited));
  ownership.stop();

  const verdict = judge(published, handled);
  const { samples: _, ...counts } = verdict;
  const result: DemoResult = {
    ...counts,
    takeovers: takeovers.map(({ event, partitions: moved, pause }) => {
      const pauseMs = pause();
      return { event, partitions: moved, pauseMs: pauseMs === null ? null : Math.round(pauseMs) };
    }),
    ok: verdict.published > 0 && verdict.lost === 0 && verdict.outOfOrder === 0 && verdict.foreign === 0,
  };
  return { result, verdict };
}
