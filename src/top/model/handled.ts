import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { Member, Model } from './model.js';
import { append, ratePerSecond } from './series.js';

/**
 * What was handled up to this look: the growth of each member's own count since it last answered, so that a message is
 * counted once whoever has its partition now. A sum of the members' rates is none: they are means over different times,
 * and while partitions move these count in two members, or in none.
 */
export function handledBy(
  { now, members, handled }: Model,
  answers: readonly MemberStats[],
): Model['handled'] {
  const [first, last] = [handled.series[0], handled.series.at(-1)];
  if (!first || !last) {
    // Where nobody has ever answered, such as for lack of a permission, nothing is known.
    return { series: answers.length === 0 ? [] : [{ at: now, value: 0 }], after: 0 };
  }
  const growth = answers.map((stats) => {
    const member = members.get(stats.session);
    if (!member) return 0;
    if (member.stats) return stats.handled - member.stats.handled;
    // All that a member has handled that began after the first look was handled since.
    return now - stats.uptimeMs > first.at ? stats.handled : 0;
  });
  const value = growth.reduce((sum, each) => sum + each, last.value + handled.after);
  return { series: append(handled.series, now, value, 'count'), after: 0 };
}

/**
 * What a member that left has handled after its last answer, at the pace of before: nobody can be asked any more, and
 * its part of an interval would be missing for as long as a rate looks back. When one that died came to rest is unknown.
 */
export function tailOf({ series }: Model['handled'], { handled, statsAt }: Member, at: number): number {
  const rate = ratePerSecond(handled);
  const hasAnswered = statsAt !== null && statsAt === series.at(-1)?.at;
  return hasAnswered && rate !== null ? Math.round((rate * (at - statsAt)) / 1_000) : 0;
}
