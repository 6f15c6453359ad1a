/** A position, and two times. The times distinguish the position's stream from another stream of the same name. */
export interface PositionMark {
  /** The stream sequence of the position. */
  sequence: number;
  /** When the stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  created?: number | undefined;
  /** When the message at this sequence was stored, on the server's clock; undefined if unknown, or if the message did not exist. */
  stored?: number | undefined;
}

/** The current stream, and its message at the sequence of a mark. */
export interface MarkedStream {
  last: number;
  /** When the stream was created; see {@link PositionMark}. */
  created?: number | undefined;
  /** When the message at that sequence was stored; undefined if the message is gone or could not be read. */
  stored?: number | undefined;
}

/**
 * Why a position does not fit its stream. `beyond-end`: the stream ends before the position. `other-stream`: the stream has reused the
 * sequences, because it was recreated or restored from an older copy.
 */
export type Misfit = 'beyond-end' | 'other-stream';

/** Tolerance for differences in rounding nanoseconds to milliseconds. */
const ROUNDING_MS = 1;

/**
 * Why a position does not belong to this stream; null if the position fits, or if a misfit cannot be proved. If the message at the position
 * exists, its time decides, and not the creation time of the stream. A stream that is restored elsewhere keeps its messages, but may have a
 * new creation time. If the time of the message is unknown in the mark or in the stream, the creation time decides.
 */
export function misfit(mark: PositionMark, stream: MarkedStream): Misfit | null {
  if (mark.sequence > stream.last) return 'beyond-end';
  if (mark.sequence === 0) return null;
  const isSame = isSameTime(mark.stored, stream.stored) ?? isSameTime(mark.created, stream.created) ?? true;
  return isSame ? null : 'other-stream';
}

/** True for equal times; undefined if one of the times is unknown. */
function isSameTime(one: number | undefined, other: number | undefined): boolean | undefined {
  return one === undefined || other === undefined ? undefined : Math.abs(one - other) <= ROUNDING_MS;
}
