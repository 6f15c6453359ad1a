import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type History, type Life, readHistory } from '../recording/history.js';
import { FAULT_KINDS, type FaultKind, PUBLISHER, type RunSettings, TWIN } from '../recording/records.js';
import { settleStarts } from './caught.js';
import { contextOf } from './context.js';
import { distancesDuring } from './distances.js';
import { type Excuse, judgeExclusive } from './exclusive.js';
import { Layouts, type Section, sectionsOf } from './layouts.js';
import { judgeMessages, judgeOrder, partitionLogs } from './order.js';
import { judgePositions } from './positions.js';
import { judgeProcesses } from './processes.js';
import { type Cause, judgeRepeats } from './repeats.js';
import { judgeResizes } from './resizes.js';
import { judgeRest, type Recovery } from './rest.js';
import { type Spread, spreadOf } from './spread.js';
import { CHARGES, type Charge, type Violation } from './violation.js';

/** The verdict of a run. Times are in milliseconds. */
export interface Verdict {
  ok: boolean;
  settings: RunSettings;
  durationMs: number;
  confirmed: number;
  trafficMs: number;
  handled: number;
  calls: number;
  /** Calls that failed on purpose, stopped after an aborted signal, or ended with their process. */
  unfinished: Record<'failed' | 'stopped' | 'cut', number>;
  /** The number of partitions of each layout, in order. */
  partitions: number[];
  epochs: number;
  members: number;
  faults: Partial<Record<FaultKind, number>>;
  charges: Record<Charge, number>;
  /** Repeated messages by explanation. `ableMs` is the time in which the previous owner could have committed them. */
  repeats: Partial<Record<Cause, { messages: number; ableMs: Spread }>>;
  /** Overlapping calls that are no violation, by excuse. */
  excusedOverlaps: Partial<Record<Excuse, number>>;
  /** Times from a fault until the group was at rest. If another fault happened meanwhile, the time counts under `several`. */
  restMs: Partial<Record<FaultKind | 'several', Spread>>;
  /** Times from the last started call of an owner to the first call of the next owner, while routes were cut. */
  cutDistancesMs: Spread | undefined;
  violations: (Violation & { context: string[] })[];
}

const TOLD = 20;

/** Judges the run in this folder, and the run of its twin group, if any. */
export function judgeFolder(folder: string): { verdict: Verdict; history: History; twin?: Verdict } {
  const history = readHistory(folder);
  const verdict = judgeHistory(history);
  const beside = join(folder, TWIN);
  if (!existsSync(beside)) return { verdict, history };
  const twin = judgeHistory(readHistory(beside));
  return { verdict: { ...verdict, ok: verdict.ok && twin.ok }, history, twin };
}

/** Judges a run. */
export function judgeHistory(recorded: History): Verdict {
  const history = settleStarts(recorded);
  const { settings, confirmed, calls, lives, faults } = history;
  const layouts = new Layouts(history);
  const sections = sectionsOf(history, layouts);
  const judged = sections.map((section) => judgeSection(history, layouts, section));
  const overlaps = judged.flatMap((each) => each.overlaps);
  const repeats = judged.flatMap((each) => each.repeats);
  const rest = judgeRest(history);
  const distances = distancesDuring(
    sections.flatMap(({ calls: lists, isOwn }) => lists.map((list) => list.filter(isOwn))),
    faults.filter(({ kind }) => kind === 'route-cut'),
  );
  const violations = [
    ...judgeMessages(history),
    ...judged.flatMap((each) => each.violations),
    ...judgeResizes(history, layouts),
    ...judgeProcesses(history, layouts),
    ...rest.violations,
  ].sort((a, b) => a.at - b.at);
  const count = <K extends string>(values: readonly K[], all: readonly K[]): Record<K, number> =>
    Object.fromEntries(all.map((key) => [key, values.filter((value) => value === key).length])) as Record<
      K,
      number
    >;
  const present = <K extends string, V>(names: readonly K[], value: (name: K) => V | undefined) =>
    Object.fromEntries(
      names.map((name) => [name, value(name)] as const).filter(([, each]) => each !== undefined),
    ) as Partial<Record<K, V>>;
  return {
    ok: violations.length === 0 && confirmed.length > 0,
    settings,
    durationMs: Math.round(
      calls.reduce((last, { to }) => (Number.isFinite(to) ? Math.max(last, to) : last), 0),
    ),
    confirmed: confirmed.length,
    trafficMs: trafficMs(lives.find(({ name }) => name === PUBLISHER)),
    handled: new Set(calls.filter(({ how }) => how === 'handled').map(({ seq }) => seq)).size,
    calls: calls.length,
    unfinished: count(
      calls.map(({ how }) => how),
      ['failed', 'stopped', 'cut'],
    ),
    epochs: new Set(calls.map(({ partition, epoch }) => `${partition} ${epoch}`)).size,
    partitions: layouts.all.map(({ partitions }) => partitions),
    members: lives.filter(({ name }) => name !== PUBLISHER).length,
    faults: present(FAULT_KINDS, (kind) => faults.filter((fault) => fault.kind === kind).length || undefined),
    charges: count(
      violations.map(({ charge }) => charge),
      Object.keys(CHARGES) as Charge[],
    ),
    repeats: present(['kill', 'stop', 'cut', 'server', 'deaf', 'stall', 'restored'] as const, (cause) => {
      const found = repeats.filter((each) => each.cause === cause);
      return found.length === 0
        ? undefined
        : { messages: found.length, ableMs: spreadOf(found.map(({ ableMs }) => ableMs)) };
    }),
    excusedOverlaps: present(
      ['stopped', 'stalled', 'deaf', 'told'] as const,
      (excuse) =>
        new Set(overlaps.filter((each) => each.excuse === excuse).map(({ older }) => older)).size ||
        undefined,
    ),
    cutDistancesMs: distances.length > 0 ? spreadOf(distances) : undefined,
    restMs: present([...FAULT_KINDS, 'several'] as const, (kind) => {
      const found = rest.recoveries.filter((each) => nameOf(each) === kind && each.restMs !== undefined);
      return found.length === 0 ? undefined : spreadOf(found.map(({ restMs }) => restMs as number));
    }),
    violations: violations
      .slice(0, TOLD)
      .map((violation) => ({ ...violation, context: contextOf(violation, history) })),
  };
}

function judgeSection(history: History, layouts: Layouts, section: Section) {
  const logs = partitionLogs(history, section);
  const exclusive = judgeExclusive(history, section);
  const repeated = judgeRepeats(history, layouts, section, exclusive.overlaps);
  return {
    overlaps: exclusive.overlaps,
    repeats: repeated.repeats,
    violations: [
      ...judgeOrder(history, section, logs),
      ...exclusive.violations,
      ...repeated.violations,
      ...judgePositions(history, section, logs),
    ],
  };
}

const trafficMs = (publisher: Life | undefined): number =>
  publisher ? Math.round((publisher.exit?.at ?? publisher.leftAt ?? publisher.from) - publisher.from) : 0;

const nameOf = ({ faults: [first, ...more] }: Recovery): FaultKind | 'several' | undefined =>
  more.length > 0 ? 'several' : first?.kind;
