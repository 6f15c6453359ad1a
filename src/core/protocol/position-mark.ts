/** A position, and two times that distinguish its stream from another stream of the same name. */
export interface PositionMark {
  sequence: number;
  /** When the stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  created?: number | undefined;
  /** When the message at this sequence was stored, on the server's clock; undefined if unknown. */
  stored?: number | undefined;
}

/** The current stream, and its message at the sequence of a mark. */
export interface MarkedStream {
  last: number;
  /** See {@link PositionMark}. */
  created?: number | undefined;
  /** When the message at that sequence was stored; undefined if unknown. */
  stored?: number | undefined;
}

/**
 * Why a position does not fit its stream. `beyond-end`: the stream ends before the position. `other-stream`: the stream
 * was recreated or restored from an older copy, and has reused the sequences.
 */
export type Misfit = 'beyond-end' | 'other-stream';

/** Tolerance for differences in rounding nanoseconds to milliseconds. */
const ROUNDING_MS = 1;

/**
 * Why a position does not belong to this stream; null if it fits, or if a misfit cannot be proved. If known, the time of
 * the message at the position decides. Otherwise the stream's creation time decides. A stream that is restored elsewhere
 * keeps its messages, but may have a new creation time.
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
