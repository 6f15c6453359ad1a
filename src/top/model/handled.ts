import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { Member, Model } from './model.js';
import { append, ratePerSecond } from './series.js';

/**
 * The messages handled up to this polling round: the last sum, plus the growth of each member's counter since its last answer. A message is
 * therefore counted once, even if its partition moves. The sum of the members' rates would be wrong, because each rate is a mean over a
 * different time. With rates, a partition that moves would also count in two members or in none.
 */
export function handledBy(
  { now, members, handled }: Model,
  answers: readonly MemberStats[],
): Model['handled'] {
  const [first, last] = [handled.series[0], handled.series.at(-1)];
  if (!first || !last) {
    // The number is unknown if no member has ever answered, for example because a permission is missing.
    return { series: answers.length === 0 ? [] : [{ at: now, value: 0 }], after: 0 };
  }
  const growth = answers.map((stats) => {
    const member = members.get(stats.session);
    if (!member) return 0;
    if (member.stats) return stats.handled - member.stats.handled;
    // If a member started after the first polling round, all messages that it has handled count.
    return now - stats.uptimeMs > first.at ? stats.handled : 0;
  });
  const value = growth.reduce((sum, each) => sum + each, last.value + handled.after);
  return { series: append(handled.series, now, value, 'count'), after: 0 };
}

/**
 * Estimates, from the previous rate of a member, how many messages it handled between its last answer and its departure. The member cannot
 * be asked any more, and without the estimate the rate of the group would drop for a moment. There is no estimate for a member that died,
 * because the time of its end is unknown.
 */
export function tailOf({ series }: Model['handled'], { handled, statsAt }: Member, at: number): number {
  const rate = ratePerSecond(handled);
  const hasAnswered = statsAt !== null && statsAt === series.at(-1)?.at;
  return hasAnswered && rate !== null ? Math.round((rate * (at - statsAt)) / 1_000) : 0;
}
