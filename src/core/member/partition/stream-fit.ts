import { type Clock, sleep } from '../../lib/clock.js';
import type { EventStream } from '../../ports/index.js';
import { type MarkedStream, misfit, type PositionMark } from '../../protocol/position-mark.js';

/** A leader of the stream that was just elected may still have to catch up: so often its end is looked at again, so far apart. */
const END_LOOKS = 5;
const END_LOOK_EVERY_MS = 1_000;

/**
 * What came of a look at the stream from a position. `fits`: the position is of this stream, which was created then, where
 * that is known. `misfit`: what the stream stores would be passed over as handled: its sequences have been used before.
 */
export type Fit = { kind: 'fits'; created: number | undefined } | { kind: 'misfit'; message: string };

/** Looks once whether a position is one of this stream. Nothing is known where the stream does not answer. */
export async function lookAtFit(
  mark: PositionMark,
  stream: Pick<EventStream, 'bounds' | 'storedAt'>,
): Promise<Fit & { isEndBefore?: boolean }> {
  const [bounds, stored] = await Promise.all([
    stream.bounds(),
    mark.stored === undefined ? undefined : stream.storedAt(mark.sequence),
  ]);
  if (bounds.kind !== 'ok') return { kind: 'fits', created: mark.created };
  const fault = misfit(mark, { ...bounds, stored });
  if (fault === null) return { kind: 'fits', created: bounds.created };
  return {
    kind: 'misfit',
    message: describe(mark, bounds, fault === 'beyond-end'),
    isEndBefore: fault === 'beyond-end',
  };
}

/** The same; a stream that ends before the position has to go on doing so. */
export async function streamFit(
  mark: PositionMark,
  { stream, clock }: { stream: EventStream; clock: Clock },
): Promise<Fit> {
  for (let looks = 1; ; looks++) {
    const fit = await lookAtFit(mark, stream);
    if (fit.kind === 'fits' || !fit.isEndBefore || looks === END_LOOKS) return fit;
    await sleep(clock, END_LOOK_EVERY_MS);
  }
}

function describe({ sequence }: PositionMark, { last }: MarkedStream, isEndBefore: boolean): string {
  const why = isEndBefore
    ? `but the stream ends at ${last}: it was made anew, or has lost its end`
    : 'and that sequence has been used again: the stream was made anew, or put back from an older copy';
  return `its position is ${sequence}, ${why}. "natspoc leases seek" says where to go on`;
}
