import type { ReleaseOutcome } from '../core/admin/release.js';
import { escapeControl } from '../core/lib/text.js';
import { formatDuration } from '../core/lib/units.js';

const nameOf = (name: string | null): string => (name === null ? 'no owner' : escapeControl(name));

/** One line for people: `p3 moved alice -> bob in 8 ms, at epoch 41`. */
export function describeRelease(outcome: ReleaseOutcome): string {
  const { partition, from, to, epoch, tookMs, forced, message } = outcome;
  switch (outcome.outcome) {
    case 'moved': {
      const how = forced ? ', its owner was fenced' : '';
      const took = formatDuration(tookMs);
      if (to === null) return `p${partition} is free for the next member, at epoch ${epoch}${how}`;
      return from === to
        ? `p${partition} stays with ${nameOf(to)}, the only member, in ${took}, at epoch ${epoch}${how}`
        : `p${partition} moved ${nameOf(from)} -> ${nameOf(to)} in ${took}, at epoch ${epoch}${how}`;
    }
    case 'unchanged':
      return `p${partition} already belongs to ${nameOf(to)}`;
    case 'failed':
      return `p${partition} not released: ${escapeControl(message ?? '')}`;
  }
}
