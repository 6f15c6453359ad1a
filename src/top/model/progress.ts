import { totalLag } from '../../core/admin/lease-status.js';
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
import { isLong } from '../../core/protocol/hold-up.js';
import type { MemberStats } from '../../core/protocol/member-stats.js';
import { handledBy } from './handled.js';
import { keptUpdates, type Member, type Model, type Progress, type Stretch, type Update } from './model.js';
import { partitionRows, ratesOf } from './select.js';
import { append, DRAWN_CAPACITY, type Series } from './series.js';

const MAX_MESSAGES = 300;
/** Maximum number of takeover times, one for each kept update. */
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

function patch(model: Model, changes: Iterable<[number, (known: Progress) => Progress]>): Model {
  const progress = new Map(model.progress);
  for (const [partition, change] of changes) {
    progress.set(partition, change(progress.get(partition) ?? NOTHING));
  }
  return { ...model, progress };
}

/** A position of a newer epoch replaces the known position. Within an epoch, a position only moves forward. */
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

/** Adds a count. A count of another epoch or kind starts a new series. */
function counted(
  known: Progress,
  at: number,
  { of, epoch, count }: { of: Progress['counts']['of']; epoch: number; count: number },
): Progress {
  const { counts } = known;
  const before = of === counts.of && epoch === counts.epoch ? counts.series : [];
  return { ...known, counts: { of, epoch, series: append(before, at, count, 'count') } };
}

/** Applies committed positions. */
export function applyPositions(model: Model, positions: readonly PositionFacts[]): Model {
  return patch(
    model,
    positions.map(({ partition, epoch, sequence, atMs }) => [
      partition,
      (known) => ({ ...moved(known, epoch, sequence), committedAt: atMs }),
    ]),
  );
}

/** Applies the sequence of the last message of each given partition. */
export function applyEnds(model: Model, ends: readonly EndFacts[]): Model {
  return patch(
    model,
    ends.map(({ partition, sequence }) => [partition, (known) => ({ ...known, end: sequence })]),
  );
}

/** Applies the list of all readers. A partition that is missing there has no reader. */
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
        // A shared reader delivers other partitions too, so its sequence is not the end of this partition.
        const seen = { ...known, reader };
        // The owner's report is more accurate. Delivered messages can still wait in the owner's memory.
        if (known.handled !== null) return seen;
        const { epoch, deliveredCount: count } = reader;
        return counted(seen, model.now, { of: 'delivered', epoch, count });
      },
    ]),
  );
}

/** Ends a polling round: records lag and rates. Paused partitions do not count, because their lag is expected to grow. */
export function applyLook(model: Model): Model {
  const lag = totalLag(partitionRows(model).filter(({ paused }) => !paused));
  const { published, handled } = ratesOf(model);
  const drawn = (series: Series, value: number | null): Series =>
    value === null ? series : append(series, model.now, value, 'amount', DRAWN_CAPACITY);
  return {
    ...model,
    strips: waitingStrips(model),
    lag: drawn(model.lag, lag),
    rates: {
      published: drawn(model.rates.published, published),
      handled: drawn(model.rates.handled, handled),
    },
  };
}

/** Marks the strips of partitions that have no owner although messages wait. */
function waitingStrips(model: Model): Model['strips'] {
  const waiting = partitionRows(model).filter(({ partition, lag }) => {
    const last = model.strips.get(partition)?.at(-1);
    return lag && last?.owner === null && !last.waited;
  });
  if (waiting.length === 0) return model.strips;
  const strips = new Map(model.strips);
  for (const { partition } of waiting) {
    const strip = strips.get(partition) ?? [];
    const marked = strip.slice(-1).map((last): Stretch => ({ ...last, waited: true }));
    strips.set(partition, [...strip.slice(0, -1), ...marked]);
  }
  return strips;
}

/** Applies the server's counts of waiting messages, for partitions without a reader. */
export function applyWaiting(model: Model, waiting: readonly WaitingFacts[]): Model {
  return patch(
    model,
    waiting.map(({ partition, ...counted }) => [partition, (known) => ({ ...known, waiting: counted })]),
  );
}

/** Applies the members' answers. For each partition, the answer with the newest epoch counts. */
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
        // Position 0 means that the position has not been read yet.
        const at = position > 0 ? moved(known, epoch, position) : known;
        const told = { ...at, handled: handled ?? null };
        return handled === undefined ? told : counted(told, now, { of: 'handled', epoch, count: handled });
      },
    ]),
  );
  const handled = handledBy(model, answers);
  const updates = keptUpdates(
    model.updates,
    answers.flatMap((stats) => changedHoldUps(model, stats)),
  );
  return patch({ ...model, members, handled, updates, took: withTimes(model.took, answers) }, changes);
}

/** Updates for partitions whose need for attention began or ended since the owner's last answer. */
function changedHoldUps({ now, members }: Model, after: MemberStats): Update[] {
  const { session, name: member } = after;
  const known = members.get(session);
  if (!known) return [];
  const before = new Map(known.stats?.partitions.map((each) => [each.partition, each]));
  return after.partitions.flatMap(({ partition, epoch, holdUp }): Update[] => {
    const last = before.get(partition);
    const was = last?.epoch === epoch && last.holdUp && isLong(last.holdUp) ? last.holdUp : undefined;
    const is = holdUp && isLong(holdUp) ? holdUp : undefined;
    const about = { at: now, partition, member, session };
    if (is && (was?.why !== is.why || was.sequence !== is.sequence))
      return [{ ...about, event: 'held-up', why: is.why, reason: is.reason }];
    return was && !is ? [{ ...about, event: 'continues', heldMs: was.forMs }] : [];
  });
}

/** True if the member's partitions did not change between two answers. Only then is there a rate. */
function holdsTheSame(before: MemberStats, after: MemberStats): boolean {
  const held = ({ partitions }: MemberStats) =>
    partitions
      .map(({ partition, epoch }) => `${partition} ${epoch}`)
      .sort()
      .join();
  return held(before) === held(after);
}

/** Adds reported takeover times. They are kept after the partition moves on. */
function withTimes(known: Model['took'], answers: StatsFacts['members']): Model['took'] {
  const fresh = answers.flatMap(({ partitions }) =>
    partitions.flatMap(({ epoch, tookMs }): [number, number][] =>
      tookMs === undefined || known.has(epoch) ? [] : [[epoch, tookMs]],
    ),
  );
  return fresh.length === 0 ? known : new Map([...known, ...fresh].slice(-MAX_TOOK));
}

/** True if the stream was made again or restored since it was last seen. Its sequences then mean other messages. */
const isAnother = (before: StreamFacts, { createdAtMs, lastSequence }: StreamFacts): boolean =>
  lastSequence < before.lastSequence || createdAtMs !== before.createdAtMs;

/** Applies the stream's state. The last sequence counts the published messages. */
export function applyStream(known: Model, facts: StreamFacts): Model {
  const replaced = known.stream !== null && isAnother(known.stream.facts, facts);
  const model = replaced ? { ...known, stream: null, progress: new Map(), messages: [] } : known;
  const published = append(model.stream?.published ?? [], model.now, facts.lastSequence, 'count');
  return { ...model, stream: { facts, at: model.now, published } };
}

/** Adds new messages. A message that arrives twice is shown once. */
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
