import { type Clock, sleep } from '../../lib/clock.js';
import type { EventStream } from '../../ports/index.js';
import { type MarkedStream, misfit, type PositionMark } from '../../protocol/position-mark.js';

/** The end of the stream is read up to END_LOOKS times. A newly elected leader may still be catching up. */
const END_LOOKS = 5;
const END_LOOK_EVERY_MS = 1_000;

/**
 * Whether a position fits its stream. `created`: when the stream was created, if known. `misfit`: the stream ends before
 * the position, or has used its sequence again.
 */
export type Fit = { kind: 'fits'; created: number | undefined } | { kind: 'misfit'; message: string };

/** Checks once whether a position fits its stream. If the stream does not answer, the position counts as fitting. */
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

/** Like {@link lookAtFit}, but repeats the check if the stream ends before the position. */
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
    ? `but the stream ends at ${last}: it was recreated, or has lost its last messages`
    : 'but that sequence was used again: the stream was recreated, or restored from an older copy';
  return `its position is ${sequence}, ${why}. Choose where to continue with "natspoc leases seek"`;
}
