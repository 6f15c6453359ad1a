import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../recording/records.js';
import type { Fault, Field } from './field.js';
import { handlerFaults } from './handler-faults.js';
import { memberFaults } from './member-faults.js';
import { operatorFaults } from './operator-faults.js';
import { serverFaults } from './server-faults.js';
import { worldFaults } from './world-faults.js';

const OF_CLUSTERS: readonly FaultKind[] = ['leader-kill', 'route-cut'];

/**
 * The requested faults that are possible with these servers. By default, only keyed groups are resized, because a resize makes any group
 * keyed.
 */
function allFaults({ servers, wanted, isKeyed }: Field): Fault[] {
  const all = [...memberFaults, ...serverFaults, ...handlerFaults, ...operatorFaults, ...worldFaults];
  return all.filter(({ kind }) => {
    if (!servers.isCluster && OF_CLUSTERS.includes(kind)) return false;
    return wanted === undefined ? isKeyed || kind !== 'resize' : wanted.includes(kind);
  });
}

/** Limit of simultaneous faults, and the probability of an overlap. */
const AT_ONCE = 3;
const OVERLAP = 0.35;

/** When the group is at rest, new members join until it has this many. */
const MEMBERS_AT_LEAST = 3;

/** Options of {@link disturb}. */
export interface ScheduleOptions {
  field: Field;
  durationMs: number;
  /** Waits until the group is at rest, or a generous timeout has passed. */
  rest: () => Promise<void>;
  signal: AbortSignal;
}

/**
 * Injects faults until the time is over, and resolves when the last fault is over. All kinds are equally frequent, because they come from a
 * shuffled deck. A kind that is not possible now is used later. Between some faults, the group can settle.
 */
export async function disturb({ field, durationMs, rest, signal }: ScheduleOptions): Promise<void> {
  const { random, members } = field;
  const until = performance.now() + durationMs;
  const active = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let deck: Fault[] = [];
  const strike = (fault: Fault): void => {
    const over = fault
      .strike(field)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => active.delete(over));
    active.add(over);
  };
  const isTime = (): boolean => performance.now() < until && !signal.aborted && failures.length === 0;
  while (isTime()) {
    if (deck.every((fault) => !fault.isPossible(field))) {
      deck = [...deck, ...shuffled(allFaults(field), () => random.next())];
    }
    const index = deck.findIndex((fault) => fault.isPossible(field));
    const [fault] = index < 0 ? [] : deck.splice(index, 1);
    if (fault) strike(fault);
    if (active.size < AT_ONCE && random.chance(OVERLAP)) {
      await sleep(random.between(50, 1_500));
      continue;
    }
    await Promise.all(active);
    await rest();
    while (isTime() && members.present.length < MEMBERS_AT_LEAST) {
      strike(memberFaults.find(({ kind }) => kind === 'join') as Fault);
      await Promise.all(active);
      await rest();
    }
    await sleep(random.between(300, 1_500));
  }
  await Promise.all(active);
  if (failures.length > 0) throw failures[0];
}

function shuffled<T>(list: readonly T[], next: () => number): T[] {
  return list
    .map((value) => ({ value, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
