import { totalLag } from '../../core/admin/group-status.js';
import { SILENT_MS } from '../../core/admin/thresholds.js';
import type {
  EndFacts,
  MessageFacts,
  PositionFacts,
  ReaderFacts,
  StatsFacts,
  StreamFacts,
  WaitingFacts,
} from '../../core/ports/facts.js';
import type { MemberStats } from '../../core/protocol/member-stats.js';
import { handledBy } from './handled.js';
import type { Member, Model, Progress } from './model.js';
import { partitionRows, ratesOf } from './select.js';
import { append, DRAWN_CAPACITY, type Series } from './series.js';

const MAX_MESSAGES = 300;
/** Changes of hands of which it is known how long they took: as many as there are updates. */
const MAX_TOOK = 1_000;

const NOTHING: Progress = {
  position: null,
  epoch: 0,
  end: null,
  reader: null,
  handled: null,
  waiting: null,
  committedAt: null,
  counts: { of: 'delivered', epoch: 0, series: [] },
};

/** The model with some partitions' progress changed. */
function patch(model: Model, changes: Iterable<[number, (known: Progress) => Progress]>): Model {
  const progress = new Map(model.progress);
  for (const [partition, change] of changes) {
    progress.set(partition, change(progress.get(partition) ?? NOTHING));
  }
  return { ...model, progress };
}

/** A position of a newer epoch replaces, one of the same epoch only moves forward. */
function moved(known: Progress, epoch: number, position: number): Progress {
  const newer = epoch > known.epoch;
  if (epoch < known.epoch) return known;
  return {
    ...known,
    epoch,
    position: newer ? position : Math.max(position, known.position ?? 0),
    ...(newer && { handled: null }),
  };
}

/** One more count of what is counted now; another epoch's, or of something else, begins a series of its own. */
function counted(
  known: Progress,
  at: number,
  { of, epoch, count }: { of: Progress['counts']['of']; epoch: number; count: number },
): Progress {
  const { counts } = known;
  const before = of === counts.of && epoch === counts.epoch ? counts.series : [];
  return { ...known, counts: { of, epoch, series: append(before, at, count, 'count') } };
}

/** Committed positions. */
export function applyPositions(model: Model, positions: readonly PositionFacts[]): Model {
  return patch(
    model,
    positions.map(({ partition, epoch, sequence, atMs }) => [
      partition,
      (known) => ({ ...moved(known, epoch, sequence), committedAt: atMs }),
    ]),
  );
}

/** The last messages of the partitions. */
export function applyEnds(model: Model, ends: readonly EndFacts[]): Model {
  return patch(
    model,
    ends.map(({ partition, sequence }) => [partition, (known) => ({ ...known, end: sequence })]),
  );
}

/** The readers that exist now: a partition that is not among them has none. */
export function applyReaders(model: Model, readers: readonly ReaderFacts[]): Model {
  const found = new Map(readers.map((reader) => [reader.partition, reader]));
  const partitions = new Set([...model.progress.keys(), ...found.keys()]);
  return patch(
    model,
    [...partitions].map((partition) => [
      partition,
      (known) => {
        const reader = found.get(partition) ?? null;
        if (!reader) return { ...known, reader };
        // Where it stands says nothing of the partition's end: it moves on over messages of other partitions.
        const seen = { ...known, reader };
        // What the owner itself says is better: what is delivered still waits in its memory.
        if (known.handled !== null) return seen;
        const { epoch, deliveredCount: count } = reader;
        return counted(seen, model.now, { of: 'delivered', epoch, count });
      },
    ]),
  );
}

/**
 * A round is over: lag and rates of this moment join those before it; the lag without that of paused partitions, which
 * is meant to grow.
 */
export function applyLook(model: Model): Model {
  const lag = totalLag(partitionRows(model).filter(({ paused }) => !paused));
  const { published, handled } = ratesOf(model);
  const drawn = (series: Series, value: number | null): Series =>
    value === null ? series : append(series, model.now, value, 'amount', DRAWN_CAPACITY);
  return {
    ...model,
    lag: drawn(model.lag, lag),
    rates: {
      published: drawn(model.rates.published, published),
      handled: drawn(model.rates.handled, handled),
    },
  };
}

/** Counts of the server for partitions that nobody reads. */
export function applyWaiting(model: Model, waiting: readonly WaitingFacts[]): Model {
  return patch(
    model,
    waiting.map(({ partition, after, count, ofGroup }) => [
      partition,
      (known) => ({ ...known, waiting: { after, count, ofGroup } }),
    ]),
  );
}

/** What the members say about themselves; about partitions only the owner of the newest epoch is believed. */
export function applyStats(model: Model, { members: answers, gone, denied }: StatsFacts): Model {
  const { now } = model;
  const answered = new Map(answers.map((stats) => [stats.session, stats]));
  const members = new Map<string, Member>();
  for (const [id, member] of model.members) {
    const stats = answered.get(id);
    if (!stats) {
      const unansweredSince = member.unansweredSince ?? now;
      const silence = now - unansweredSince < SILENT_MS ? member.answer : 'silent';
      members.set(id, {
        ...member,
        unansweredSince,
        answer: gone.includes(id) ? 'gone' : denied ? 'denied' : silence,
      });
      continue;
    }
    const same = member.stats !== null && holdsTheSame(member.stats, stats);
    const handled = append(same ? member.handled : [], now, stats.handled, 'count');
    const alloc = append(member.alloc, now, stats.memory.allocBytes, 'amount');
    const answer = { answer: 'answered', unansweredSince: null } as const;
    members.set(id, { ...member, ...answer, stats, statsAt: now, handled, alloc });
  }
  const changes = answers.flatMap(({ partitions }) =>
    partitions.map(({ partition, epoch, position, handled }): [number, (p: Progress) => Progress] => [
      partition,
      (known) => {
        if (epoch < known.epoch) return known;
        // A position of 0 is one that has not been read yet.
        const at = position > 0 ? moved(known, epoch, position) : known;
        const told = { ...at, handled: handled ?? null };
        return handled === undefined ? told : counted(told, now, { of: 'handled', epoch, count: handled });
      },
    ]),
  );
  const handled = handledBy(model, answers);
  return patch({ ...model, members, handled, took: withTimes(model.took, answers) }, changes);
}

/** True for answers of a member between which its partitions stayed: only these make a rate of what it has now. */
function holdsTheSame(before: MemberStats, after: MemberStats): boolean {
  const held = ({ partitions }: MemberStats) =>
    partitions
      .map(({ partition, epoch }) => `${partition} ${epoch}`)
      .sort()
      .join();
  return held(before) === held(after);
}

/** What owners say once about a change of hands is kept after they have given the partition away. */
function withTimes(known: Model['took'], answers: StatsFacts['members']): Model['took'] {
  const fresh = answers.flatMap(({ partitions }) =>
    partitions.flatMap(({ epoch, tookMs }): [number, number][] =>
      tookMs === undefined || known.has(epoch) ? [] : [[epoch, tookMs]],
    ),
  );
  return fresh.length === 0 ? known : new Map([...known, ...fresh].slice(-MAX_TOOK));
}

/** The stream's state; its last sequence counts what was published. */
export function applyStream(model: Model, facts: StreamFacts): Model {
  const published = append(model.stream?.published ?? [], model.now, facts.lastSequence, 'count');
  return { ...model, stream: { facts, at: model.now, published } };
}

/** Newly read messages; they may come twice, but are shown once. */
export function applyMessages(model: Model, messages: readonly MessageFacts[]): Model {
  const last = model.messages.at(-1)?.sequence ?? 0;
  const fresh = messages.filter(({ sequence }) => sequence > last);
  const ends = new Map<number, number>();
  for (const { partition, sequence } of fresh) if (partition !== null) ends.set(partition, sequence);
  const next = patch(
    model,
    [...ends].map(([partition, sequence]) => [
      partition,
      (known) => ({ ...known, end: Math.max(known.end ?? 0, sequence) }),
    ]),
  );
  return { ...next, messages: [...model.messages, ...fresh].slice(-MAX_MESSAGES) };
}
