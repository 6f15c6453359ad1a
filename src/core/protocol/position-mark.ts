/** What a position was made on: the two things that tell one stream from another of its name. */
export interface PositionMark {
  /** The stream sequence of the position. */
  sequence: number;
  /** When the stream was created, milliseconds since 1970 on the server's clock; undefined: not known. */
  created?: number | undefined;
  /** When the message at the sequence was stored, the same way; undefined: not known, or there was none. */
  stored?: number | undefined;
}

/** The stream as it is, and its message at the sequence of a mark. */
export interface MarkedStream {
  last: number;
  /** As in {@link PositionMark}. */
  created?: number | undefined;
  /** When its message at that sequence was stored; undefined: it is gone, or nobody could look. */
  stored?: number | undefined;
}

/**
 * How a position does not fit its stream. `beyond-end`: the stream ends before it. `other-stream`: the stream has used the
 * sequences again, because it was made anew, or put back from an older copy.
 */
export type Misfit = 'beyond-end' | 'other-stream';

/** Nanoseconds become milliseconds in more than one way. */
const ROUNDING_MS = 1;

/**
 * Tells whether a position is one of this stream; null: it is, or nothing says otherwise. The message at the position
 * decides where it is there: a stream that is restored elsewhere may be created anew, and keeps its messages. Where the
 * message is gone, the time of creation decides.
 */
export function misfit(mark: PositionMark, stream: MarkedStream): Misfit | null {
  if (mark.sequence > stream.last) return 'beyond-end';
  if (mark.sequence === 0) return null;
  const isSame = isSameTime(mark.stored, stream.stored) ?? isSameTime(mark.created, stream.created) ?? true;
  return isSame ? null : 'other-stream';
}

/** Undefined where one of them is not known. */
function isSameTime(one: number | undefined, other: number | undefined): boolean | undefined {
  return one === undefined || other === undefined ? undefined : Math.abs(one - other) <= ROUNDING_MS;
}
