import type { SeekOutcome } from '../core/admin/seek.js';
import type { SeekStep } from '../core/admin/seek-target.js';
import { countOf } from '../core/lib/units.js';

const messages = (count: number, isEstimate: boolean): string =>
  `${isEstimate ? '~' : ''}${countOf(count, 'message')}`;

function effectOf({ skipped, repeated, countIsEstimate }: SeekStep): string {
  if (skipped > 0) return `${messages(skipped, countIsEstimate)} skipped`;
  return repeated > 0
    ? `${messages(repeated, countIsEstimate)} handled again`
    : 'nothing skipped or repeated';
}

/** A planned step: `p3 from 1996 to 1896: 100 messages handled again`. */
export const describeStep = (step: SeekStep): string =>
  `p${step.partition} from ${step.from ?? 'the start'} to ${step.to}: ${effectOf(step)}`;

/** The outcome of a step, or why the position was not moved. */
export const describeSeek = (outcome: SeekOutcome): string =>
  outcome.moved ? describeStep(outcome) : `p${outcome.partition} not moved: ${outcome.message ?? ''}`;

/** The consequences that the user has to confirm, in total and by partition. */
export function seekConsequences(group: string, steps: readonly SeekStep[]): string[] {
  const sum = (of: 'skipped' | 'repeated'): string => {
    const counted = steps.filter((step) => step[of] > 0);
    return messages(
      counted.reduce((total, step) => total + step[of], 0),
      counted.some(({ countIsEstimate }) => countIsEstimate),
    );
  };
  const shown = steps.slice(0, 16).map((step) => `${describeStep(step)}.`);
  const more = steps.length > shown.length ? [`And ${steps.length - shown.length} more partitions.`] : [];
  return [
    ...shown,
    ...more,
    `Group ${group} will skip ${sum('skipped')} and handle ${sum('repeated')} again.`,
  ];
}
