import { setTimeout as sleep } from 'node:timers/promises';
import { escapeControl } from '../lib/text.js';
import type { GroupObserver } from '../ports/observer.js';
import { describeHoldUp, type HoldUp, remedyOf } from '../protocol/hold-up.js';
import { type ControlAnswer, type ControlClient, encodeControl } from '../protocol/member-orders.js';
import type { PartitionStats } from '../protocol/member-stats.js';
import type { GroupFollower } from './follower.js';
import { describeGone } from './members.js';
import { ANSWER_MS } from './thresholds.js';

/** How often the owner is asked whether the partition has passed the message, in milliseconds. */
const ASK_EVERY_MS = 50;

/** Only the owner can try a message again or skip it. */
const NO_OWNER = 'it has no owner: start a member of the group with "natspoc consume", then try again';

/** The ports that requests about held-up partitions use. */
export interface HeldUpPorts {
  observer: Pick<GroupObserver, 'stats'>;
  follower: GroupFollower;
  control: ControlClient;
  /** How long an owner has to answer, in milliseconds. */
  answerMs: number;
  signal?: AbortSignal | undefined;
}

/** The outcome for one partition. `unchanged`: it is not held up, or not by this message. `failed`: see `message`. */
export interface HeldUpOutcome {
  partition: number;
  outcome: 'retried' | 'skipped' | 'dead-letter' | 'unchanged' | 'failed';
  /** The name of the owner; null if there is none. */
  owner: string | null;
  message: string | null;
  /** True if the server does not permit the request. */
  denied: boolean;
}

/** A message to skip, and the way to skip it. */
export interface SkipOrder {
  partition: number;
  sequence: number;
  deadLetter: boolean;
  /** The operator's name, for display. */
  by: string;
  /** Limit for the partition to pass the message, in milliseconds. */
  waitMs: number;
}

/** Makes owners immediately retry the messages that hold up their partitions. Also restarts halted partitions. */
export async function retryPartitions(
  ports: HeldUpPorts,
  partitions: readonly number[],
): Promise<HeldUpOutcome[]> {
  const byOwner = new Map<string | null, number[]>();
  for (const partition of partitions) {
    const owner = ports.follower.ownerOf(partition);
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), partition]);
  }
  const outcomes = await Promise.all(
    [...byOwner].map(async ([owner, share]) => {
      const request = encodeControl({ partitions: share });
      const answer = owner === null ? null : await ports.control.ask(owner, 'retry', request, ports.answerMs);
      const retried = new Set(answer?.kind === 'taken' ? answer.partitions : []);
      const own = share.every((each) => retried.has(each)) ? [] : await statsOf(ports.observer, owner);
      return share.map((partition): HeldUpOutcome => {
        const failed = notTaken(ports.follower, partition, answer);
        if (failed) return failed;
        if (retried.has(partition)) return outcomeOf(ports.follower, partition, 'retried');
        const held = own.find((each) => each.partition === partition)?.holdUp;
        const why = held ? `no message waits for another attempt: ${withRemedy(partition, held)}` : null;
        return outcomeOf(ports.follower, partition, 'unchanged', why);
      });
    }),
  );
  return outcomes.flat().sort((a, b) => a.partition - b.partition);
}

/** Checks whether a message can be skipped, before the owner is asked. Returns the reason if not; undefined if it may be possible. */
export async function refuseSkip(
  { observer, follower }: Pick<HeldUpPorts, 'observer' | 'follower'>,
  order: Pick<SkipOrder, 'partition' | 'sequence'>,
): Promise<HeldUpOutcome | undefined> {
  const { partition, sequence } = order;
  const owner = follower.ownerOf(partition);
  if (owner === null) return notTaken(follower, partition, null);
  const own = (await statsOf(observer, owner)).find((each) => each.partition === partition);
  if (!own) return undefined;
  // With a concurrency above 1, several messages may hold up the partition. Only the owner knows them all.
  const isHeldUp = own.holdUp && (own.holdUp.sequence === sequence || own.holdUp.others > 0);
  return isHeldUp ? undefined : otherMessage(follower, order, own.holdUp);
}

/** Makes the owner skip a message that holds up its partition. Waits until the partition has passed the message. */
export async function skipMessage(ports: HeldUpPorts, order: SkipOrder): Promise<HeldUpOutcome> {
  const { observer, follower, control, answerMs } = ports;
  const { partition, sequence, deadLetter, by } = order;
  const owner = follower.ownerOf(partition);
  const request = encodeControl({ partition, sequence, deadLetter, by });
  const answer = owner === null ? null : await control.ask(owner, 'skip', request, answerMs);
  const failed = notTaken(follower, partition, answer);
  if (failed) return failed;
  if (answer?.kind === 'taken' && !answer.partitions.includes(partition)) {
    const own = (await statsOf(observer, owner)).find((each) => each.partition === partition);
    return otherMessage(follower, order, own?.holdUp);
  }
  const left = await untilPassed(ports, order);
  if (left !== undefined) return outcomeOf(follower, partition, 'failed', left);
  return outcomeOf(follower, partition, deadLetter ? 'dead-letter' : 'skipped');
}

/** The partitions of an owner, as it reports them; empty if it does not answer. */
async function statsOf(observer: HeldUpPorts['observer'], owner: string | null): Promise<PartitionStats[]> {
  const { members } = await observer.stats(owner === null ? [] : [owner], ANSWER_MS);
  return members[0]?.partitions ?? [];
}

/** True if the owner has dropped the accepted order, because it could not be carried out. Otherwise no further attempt is planned. */
const isDropped = ({ why, sequence, nextInMs }: HoldUp, ordered: number): boolean =>
  sequence === ordered && (why === 'halted' || (why === 'retrying' && nextInMs !== null));

/** Why a partition is held up, and what an operator can do. */
const withRemedy = (partition: number, held: HoldUp): string =>
  `${describeHoldUp(held)}; ${remedyOf(partition, held)}`;

/** The outcome if a message does not hold up its partition. */
function otherMessage(
  follower: GroupFollower,
  { partition, sequence }: Pick<SkipOrder, 'partition' | 'sequence'>,
  held: HoldUp | undefined,
): HeldUpOutcome {
  const why = held ? `this does: ${withRemedy(partition, held)}` : 'nothing does';
  return outcomeOf(
    follower,
    partition,
    'unchanged',
    `message ${sequence} does not hold p${partition} up; ${why}`,
  );
}

/** Waits until the partition has passed the message. Returns the reason if it has not in time. */
async function untilPassed(
  { observer, follower, signal }: HeldUpPorts,
  { partition, sequence, waitMs }: SkipOrder,
): Promise<string | undefined> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const owner = follower.ownerOf(partition);
    const own = (await statsOf(observer, owner)).find((each) => each.partition === partition);
    if (own && own.position >= sequence) return undefined;
    if (own?.holdUp && isDropped(own.holdUp, sequence))
      return `message ${sequence} could not be given up: ${withRemedy(partition, own.holdUp)}`;
    if (signal?.aborted || performance.now() >= deadline) {
      const why = own?.holdUp ? `: ${describeHoldUp(own.holdUp)}` : '';
      return `the owner has accepted the request, but p${partition} has not passed message ${sequence} yet${why}`;
    }
    await sleep(ASK_EVERY_MS);
  }
}

/** The outcome if the owner has not accepted a request; undefined if it has. */
function notTaken(
  follower: GroupFollower,
  partition: number,
  answer: ControlAnswer | null,
): HeldUpOutcome | undefined {
  if (answer?.kind === 'taken') return undefined;
  const name = escapeControl(follower.ownerNameOf(partition) ?? '');
  switch (answer?.kind) {
    case undefined:
      return outcomeOf(follower, partition, 'failed', NO_OWNER);
    case 'gone':
      return outcomeOf(follower, partition, 'failed', describeGone(`its owner ${name}`));
    case 'silent':
      return outcomeOf(follower, partition, 'failed', `its owner ${name} does not answer`);
    case 'refused':
      return outcomeOf(follower, partition, 'failed', `its owner ${name} refused: ${answer.message}`);
    case 'denied':
      return { ...outcomeOf(follower, partition, 'failed', answer.message), denied: true };
  }
}

const outcomeOf = (
  follower: GroupFollower,
  partition: number,
  outcome: HeldUpOutcome['outcome'],
  message: string | null = null,
): HeldUpOutcome => ({
  partition,
  outcome,
  owner: follower.ownerNameOf(partition),
  message,
  denied: false,
});
