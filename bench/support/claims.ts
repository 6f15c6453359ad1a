import { ratioSpread, type Spread } from './stats.js';

/** A target: the minimum ratio between the figures of two contenders. Contenders are given by name. */
export interface Claim {
  numerator: string;
  denominator: string;
  atLeast: number;
}

/** A target, with the ratio that a run has reached. */
export interface MeasuredClaim extends Claim {
  ratio: Spread;
  /**
   * The median ratio of the bare loop to the denominator, which is an upper bound. Null if the denominator is a bare loop, or if no bare
   * loop was measured.
   */
  ceiling: number | null;
}

/** The name of the loop that does only what every contender must do. */
export const BARE_LOOP = 'bare loop';

/** Measures the claims whose contenders have figures. */
export function measureClaims(
  claims: readonly Claim[],
  figures: ReadonlyMap<string, readonly number[]>,
): MeasuredClaim[] {
  const bare = figures.get(BARE_LOOP);
  return claims.flatMap((claim) => {
    const [ours, theirs] = [figures.get(claim.numerator), figures.get(claim.denominator)];
    if (!ours || !theirs) return [];
    const bounded = bare && !claim.denominator.startsWith(BARE_LOOP);
    const ceiling = bounded ? ratioSpread(bare, theirs).median : null;
    return [{ ...claim, ratio: ratioSpread(ours, theirs), ceiling }];
  });
}

/**
 * One line with the ratio, its share of the ceiling, and whether the target is reached. `targeted`: the target applies to the measured
 * setting.
 */
export function describeClaim(measured: MeasuredClaim, targeted: boolean): string {
  const { numerator, denominator, atLeast, ratio, ceiling } = measured;
  const values = [ratio.min, ratio.median, ratio.max].map((value) => value.toFixed(2)).join(' / ');
  const share =
    ceiling === null
      ? []
      : [`${Math.round((100 * ratio.median) / ceiling)}% of the ceiling ${ceiling.toFixed(2)}`];
  const target = targeted ? [`target ${atLeast} ${outcome(measured)}`] : [];
  const notes = [...share, ...target];
  const row = `${`${numerator} : ${denominator}`.padEnd(44)} ${values}`;
  return notes.length === 0 ? row : `${row}  (${notes.join('; ')})`;
}

function outcome({ ratio, atLeast, ceiling }: MeasuredClaim): string {
  if (ratio.median >= atLeast) return 'reached';
  return ceiling !== null && ceiling < atLeast
    ? 'missed: above the ceiling, so the bare loop also misses this target'
    : 'MISSED';
}
