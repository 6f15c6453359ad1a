import type { Bucket, WatchSink } from '../../../src/core/ports/index.js';
import { Ownership } from '../../../src/local/demo/ownership.js';
import type { FaultSpan, History, Life } from '../recording/history.js';
import { type FaultKind, PUBLISHER } from '../recording/records.js';
import { describeFault, describeTime } from './describe.js';
import type { Violation } from './violation.js';

/** After a fault the group must come to rest within twice the ttl plus this time. */
const REST_SLACK_MS = 10_000;
/** The time to rest counts from the start of these faults. For other faults it counts from the end. */
const COUNTS_FROM_BEGIN: readonly FaultKind[] = ['kill', 'leave'];

/** Faults in a row, without a rest of the group between them. `restMs` counts from the last one. */
export interface Recovery {
  faults: FaultSpan[];
  /** Undefined if the run ended too early to judge. */
  restMs: number | undefined;
}

/** Holds from `at` until the next state. */
interface State {
  at: number;
  isAtRest: boolean;
}

/** Checks I5 and I7: after each fault the group comes to rest in time. */
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
    const text = `the group was not at rest ${Math.round(limitMs / 1_000)} s after ${describeTime(over)}, after these faults: ${after}`;
    violations.push({ charge: 'unrest', at: over, text });
  }
  return { violations, recoveries };
}

const countsFrom = ({ kind, from, to }: FaultSpan): number => (COUNTS_FROM_BEGIN.includes(kind) ? from : to);

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

/** From this time on, a process no longer counts as a member. */
const endOf = ({ killedAt, leftAt, exit }: Life): number =>
  Math.min(...[killedAt, leftAt, exit?.at].map((at) => at ?? Number.POSITIVE_INFINITY));

class ReplayedBucket implements Pick<Bucket, 'watch'> {
  #sink: WatchSink | undefined;

  watch(_prefix: string, sink: WatchSink): { stop(): void } {
    this.#sink = sink;
    return { stop: () => {} };
  }

  reset(): void {
    this.#sink?.snapshot([]);
  }

  apply({ key, revision, value }: { key: string; revision: number; value: string | null }): void {
    this.#sink?.changes([{ key, revision, value: value === null ? null : Buffer.from(value, 'utf8') }]);
  }
}
