import type { Clock } from '../../core/lib/clock.js';
import { formatDuration } from '../../core/lib/units.js';
import { levelOf } from '../../core/member/member-log.js';
import { describeMove, describeReport, type Move } from '../../core/member/status-lines.js';
import type { Report } from '../../core/protocol/events.js';
import { partitionList } from '../../text/partition-list.js';

/** How long a move waits for the other moves of its rebalance, in milliseconds. */
const TOGETHER_MS = 200;

const isMove = (report: Report): report is Move =>
  report.type === 'acquired' ||
  report.type === 'handed-over' ||
  report.type === 'released' ||
  report.type === 'lost';

/** The values that all moves of one line share. */
function kindOf(move: Move): string {
  const { partition: _, epoch: __, ...kind } = move;
  return JSON.stringify({ ...kind, tookMs: 0 });
}

/** Writes the moves of a rebalance as one line for each kind, with ranges of partitions. */
export class MoveLines {
  readonly #clock: Clock;
  readonly #write: (line: string, fields: object) => void;
  readonly #waiting = new Map<string, [Move, ...Move[]]>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, write: (line: string, fields: object) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Collects a move, to write it with others of its kind. Returns false for other reports. */
  add(report: Report): boolean {
    if (!isMove(report)) return false;
    const kind = kindOf(report);
    const others = this.#waiting.get(kind);
    if (others) others.push(report);
    else {
      // Write an earlier move of this partition first, to keep the order.
      if (this.#waiting.size > 0 && this.#mentions(report.partition)) this.flush();
      this.#waiting.set(kind, [report]);
    }
    this.#cancel ??= this.#clock.at(this.#clock.now() + TOGETHER_MS, () => this.flush());
    return true;
  }

  /** Writes the pending moves. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const moves of waiting) {
      moves.sort((a, b) => a.partition - b.partition);
      this.#write(describeMoves(moves), fieldsOf(moves));
    }
  }

  #mentions(partition: number): boolean {
    return [...this.#waiting.values()].some((moves) => moves.some((move) => move.partition === partition));
  }
}

/** One line about moves of one kind. */
function describeMoves(moves: readonly [Move, ...Move[]]): string {
  const [first] = moves;
  // The text of a move does not contain the group.
  if (moves.length === 1) return describeReport(first, '');
  const times = moves.flatMap((move) => ('tookMs' in move ? [move.tookMs] : []));
  const [least, most] = [Math.min(...times), Math.max(...times)].map(formatDuration);
  const within = least === most ? most : `${least} to ${most}`;
  return describeMove(first, partitionList(moves.map(({ partition }) => partition)), '', within);
}

/** The values in the line of {@link describeMoves}, as fields for programs. */
function fieldsOf(moves: readonly [Move, ...Move[]]): object {
  const [{ type: event, partition: _, epoch: __, ...common }] = moves;
  const times = moves.flatMap((move) => ('tookMs' in move ? [move.tookMs] : []));
  return {
    level: levelOf(event),
    event,
    ...common,
    partitions: moves.map(({ partition }) => partition),
    epochs: moves.map(({ epoch }) => epoch),
    ...(times.length > 0 && { tookMs: Math.round(Math.max(...times)) }),
  };
}
