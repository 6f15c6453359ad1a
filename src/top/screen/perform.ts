import type { Ending } from '../../core/admin/end-member.js';
import type { HeldUpOutcome } from '../../core/admin/held-up.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { withoutStop } from '../../core/lib/text.js';
import { formatDuration } from '../../core/lib/units.js';
import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import { describeHeldUpOutcome } from '../../text/held-up-report.js';
import { partitionList } from '../../text/partition-list.js';
import { describeRelease } from '../../text/release-report.js';
import type { LetterBox } from '../act/letter-box.js';
import { signalMember } from '../act/local-process.js';
import type { Operator } from '../act/operator.js';
import { type StartedConsumer, startConsumer } from '../act/start-consumer.js';
import type { Command, Said, Target } from './state.js';

/** What the commands of the screen need. */
export interface Performer {
  /** Undefined if no actions are possible, for example in a replay. */
  operator: Operator | undefined;
  /** The environment of started members, with the settings of this screen. */
  env: NodeJS.ProcessEnv;
}

/** A command that acts on the group. */
export type Action = Exclude<
  Command,
  { type: 'quit' | 'redraw' | 'replay' | 'list-groups' | 'open-group' | 'list-letters' | 'show-letter' }
>;

const info = (text: string): Said => ({ text, level: 'info' });
const busy = (text: string): Said => ({ text, level: 'busy' });
const failure = (text: string): Said => ({ text: text.endsWith('.') ? text : `${text}.`, level: 'error' });

const NOTHING_TO_ACT_ON = failure('A replay allows no actions.');

/** The notice while a command runs. */
export function announce(command: Action): Said {
  switch (command.type) {
    case 'release':
      return busy(`Releasing p${command.partition} …`);
    case 'pause':
      return busy(`${command.paused ? 'Pausing' : 'Resuming'} p${command.partition} …`);
    case 'retry':
      return busy(`Trying p${command.partition} again …`);
    case 'skip':
      return busy(`Giving up message ${command.sequence} …`);
    case 'drop-letter':
      return busy(`Dropping dead letter ${command.letter.sequence} …`);
    case 'put-back':
      return busy(`Putting dead letter ${command.letter.sequence} back …`);
    case 'stop':
      return busy(`Stopping ${command.target.name} …`);
    case 'kill':
      return busy(`Killing ${command.target.name} …`);
    case 'start-consumer':
      return busy('Starting a member …');
  }
}

/** The new owners of a member's partitions: `p0 p3 -> b, p6 -> c in 35 ms`. */
function describeEnding(done: string, { ended, alone, moved, left, tookMs }: Ending): Said {
  const took = formatDuration(tookMs);
  const parts = [...moved].map(([name, partitions]) => `${partitionList(partitions)} -> ${name}`);
  if (alone && left.length > 0) {
    return failure(
      `${done}: ${partitionList(left)} ${left.length > 1 ? 'have' : 'has'} no owner until another member joins`,
    );
  }
  if (left.length > 0) parts.push(`${partitionList(left)} -> no owner`);
  const story = parts.length === 0 ? 'it owned no partitions' : parts.join(', ');
  if (ended) return { text: `${done}: ${story}, in ${took}.`, level: left.length > 0 ? 'error' : 'info' };
  return failure(`${done}, but its session has not ended after ${took}: ${story}`);
}

/** Sends SIGTERM if the pid is certainly this member's. Otherwise asks the member over NATS to leave. */
async function tellToStop(target: Target, operator: Operator): Promise<string | undefined> {
  if (target.local && (await signalMember(target, 'SIGTERM')) === undefined) return undefined;
  return operator.askToStop(target.session);
}

async function end(command: Extract<Command, { type: 'stop' | 'kill' }>, operator: Operator): Promise<Said> {
  const { target, type } = command;
  const leaves = type === 'stop';
  const ending = await operator.end(target.session, {
    leaves,
    tell: () => (leaves ? tellToStop(target, operator) : signalMember(target, 'SIGKILL')),
  });
  const done = `${target.name} ${leaves ? 'stopped' : 'killed'}`;
  if (typeof ending === 'string') {
    return failure(`${target.name} was not ${leaves ? 'stopped' : 'killed'}: ${ending}`);
  }
  return describeEnding(done, ending);
}

async function pause(partition: number, paused: boolean, operator: Operator): Promise<Said> {
  const startedAt = performance.now();
  const unfinished = await operator.pause(partition, paused);
  if (unfinished !== undefined) return failure(`The pause of p${partition} is set, but ${unfinished}`);
  const took = formatDuration(performance.now() - startedAt);
  return info(`p${partition} ${paused ? 'paused' : 'resumed'} in ${took}.`);
}

async function putBack(letter: FoundLetter, letters: LetterBox): Promise<Said> {
  const outcome = await letters.putBack(letter);
  if (typeof outcome === 'string')
    return failure(`Dead letter ${letter.sequence} was not put back: ${outcome}`);
  return info(`Dead letter ${letter.sequence} was published again as message ${outcome}.`);
}

const sayHeldUp = (outcome: HeldUpOutcome): Said =>
  (outcome.outcome === 'failed' ? failure : info)(`${describeHeldUpOutcome(outcome)}.`);

/** The partitions of a new member and their previous owners: `p1 p3 from a, p6 (not owned)`. */
const gotFrom = (from: ReadonlyMap<string | null, number[]>): string =>
  [...from]
    .map(([name, got]) => `${partitionList(got)}${name === null ? ' (not owned)' : ` from ${name}`}`)
    .join(', ') || 'no partition: the other members own all partitions';

async function start({ operator, env }: Performer): Promise<Said> {
  if (!operator) return NOTHING_TO_ACT_ON;
  const startedAt = performance.now();
  let started: StartedConsumer;
  try {
    started = await startConsumer(env);
  } catch (error) {
    return failure(`No member was started: ${messageOf(error)}`);
  }
  const { pid, logFile, ended } = started;
  const over = new AbortController();
  try {
    const became = await Promise.race([operator.joined(pid, over.signal), ended]);
    const took = formatDuration(performance.now() - startedAt);
    if (typeof became === 'string') {
      return failure(`The new member ended after ${took}, ${withoutStop(became)}. Its log: ${logFile}`);
    }
    if (!became)
      return failure(`The new member (pid ${pid}) has not joined after ${took}. Its log: ${logFile}`);
    return info(`${became.name} joined in ${took} and owns ${gotFrom(became.from)}. Its log: ${logFile}`);
  } finally {
    over.abort();
  }
}

async function act(command: Action, performer: Performer): Promise<Said | undefined> {
  const { operator } = performer;
  if (command.type === 'start-consumer') return start(performer);
  if (!operator) return NOTHING_TO_ACT_ON;
  switch (command.type) {
    case 'release': {
      const outcome = await operator.release(command.partition);
      const said = outcome.outcome === 'failed' ? failure : info;
      return said(`${describeRelease(outcome)}.`);
    }
    case 'pause':
      return pause(command.partition, command.paused, operator);
    case 'retry':
      return sayHeldUp(await operator.retry(command.partition));
    case 'skip':
      return sayHeldUp(await operator.skip(command));
    case 'drop-letter':
      await operator.letters.drop(command.letter);
      return info(`Dead letter ${command.letter.sequence} dropped.`);
    case 'put-back':
      return putBack(command.letter, operator.letters);
    case 'stop':
    case 'kill':
      return end(command, operator);
  }
}

/** Carries out a confirmed command and describes its outcome or failure. It throws only for bugs of this program. */
export async function perform(command: Action, performer: Performer): Promise<Said | undefined> {
  try {
    return await act(command, performer);
  } catch (error) {
    if (error instanceof NatspocError) return failure(error.message);
    throw error;
  }
}
