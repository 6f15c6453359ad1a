import type { Bucket, WatchSink } from '../../../src/core/ports/index.js';
import { Ownership } from '../../../src/local/demo/ownership.js';
import type { FaultSpan, History, Life } from '../recording/history.js';
import { type FaultKind, PUBLISHER } from '../recording/records.js';
import { describeFault, describeTime } from './describe.js';
import type { Violation } from './violation.js';

/** Beside twice the ttl: the group has this long to come to rest after a fault, milliseconds. */
const REST_SLACK_MS = 10_000;
/** Of these it counts from their beginning: what comes after is for the group to do. */
const COUNTS_FROM_BEGIN: readonly FaultKind[] = ['kill', 'leave'];

/** Faults that began before the group was at rest after the first of them, and how long it took after the last. */
export interface Recovery {
  faults: FaultSpan[];
  /** Undefined: it was not at rest when the run ended, which was too soon to judge. */
  restMs: number | undefined;
}

/** From when on the group was at rest, and until when. */
interface State {
  at: number;
  isAtRest: boolean;
}

/** I5, I7: after each fault the group comes to rest in time, as the bucket and the lives of the processes tell. */
export function judgeRest(history: History): { violations: Violation[]; recoveries: Recovery[] } {
  const { settings, faults, calmAt } = history;
  const states = followRest(history);
  const limitMs = 2 * settings.ttlMs + REST_SLACK_MS;
  const recoveries: Recovery[] = [];
  const violations: Violation[] = [];
  const sorted = [...faults].sort((a, b) => a.from - b.from);
  for (let i = 0; i < sorted.length; ) {
    const cluster = [sorted[i] as FaultSpan];
    let restAt: number | undefined;
    for (;;) {
      const over = Math.max(...cluster.map(({ to }) => to));
      restAt = firstRest(states, over);
      const next = sorted[i + cluster.length];
      if (!next || next.from > Math.min(restAt ?? Number.POSITIVE_INFINITY, over + limitMs)) break;
      cluster.push(next);
    }
    const over = Math.max(...cluster.map(countsFrom));
    i += cluster.length;
    const restMs = restAt === undefined ? undefined : restAt - over;
    recoveries.push({ faults: cluster, restMs });
    if ((restMs ?? Number.POSITIVE_INFINITY) <= limitMs || calmAt < over + limitMs) continue;
    const after = cluster.map(describeFault).join('; ');
    const text = `not at rest ${Math.round(limitMs / 1_000)} s after ${describeTime(over)}: ${after}`;
    violations.push({ charge: 'unrest', at: over, text });
  }
  return { violations, recoveries };
}

const countsFrom = ({ kind, from, to }: FaultSpan): number => (COUNTS_FROM_BEGIN.includes(kind) ? from : to);

/** The first moment from `at` on at which the group is at rest. */
function firstRest(states: readonly State[], at: number): number | undefined {
  let current = false;
  for (const state of states) {
    if (state.at > at) {
      if (current) return at;
      if (state.isAtRest) return state.at;
    } else current = state.isAtRest;
  }
  return current ? at : undefined;
}

/** Plays the bucket's changes and the lives of the members again, and notes when the group was at rest. */
function followRest({ settings, bucket, lives, looks, calmAt }: History): State[] {
  const stage = new ReplayedBucket();
  const ownership = new Ownership(stage, settings.group, () => {});
  const members = lives.filter(({ name }) => name !== PUBLISHER);
  const changes = bucket
    .filter(({ key }) => key.startsWith(`group.${settings.group}.`))
    .map((change) => ({ at: change.at, apply: () => stage.apply(change) }));
  const moments = members
    .flatMap((life) => [life.from, endOf(life)])
    .filter(Number.isFinite)
    .map((at) => ({ at, apply: () => {} }));
  const resets = looks.map((at) => ({ at, apply: () => stage.reset() }));
  const states: State[] = [];
  for (const { at, apply } of [...resets, ...changes, ...moments].sort((a, b) => a.at - b.at)) {
    if (at > calmAt) break;
    apply();
    const names = members.filter((life) => life.from <= at && at < endOf(life)).map(({ name }) => name);
    const isAtRest = names.length > 0 && ownership.isBalanced(names, settings.partitions);
    if (states.at(-1)?.isAtRest !== isAtRest) states.push({ at, isAtRest });
  }
  return states;
}

/** When a process is no longer to be counted with. */
const endOf = ({ killedAt, leftAt, exit }: Life): number =>
  Math.min(...[killedAt, leftAt, exit?.at].map((at) => at ?? Number.POSITIVE_INFINITY));

/** A bucket that shows again what was recorded of one. */
class ReplayedBucket implements Pick<Bucket, 'watch'> {
  #sink: WatchSink | undefined;

  watch(_prefix: string, sink: WatchSink): { stop(): void } {
    this.#sink = sink;
    return { stop: () => {} };
  }

  /** What was known is replaced. */
  reset(): void {
    this.#sink?.snapshot([]);
  }

  apply({ key, revision, value }: { key: string; revision: number; value: string | null }): void {
    this.#sink?.changes([{ key, revision, value: value === null ? null : Buffer.from(value, 'utf8') }]);
  }
}
