import type { MemberStats } from '../../core/protocol/member-stats.js';
import type { Member, Model } from './model.js';
import { append, ratePerSecond } from './series.js';

/**
 * The messages handled up to this polling round: the last sum, plus the growth of each member's counter since its last answer. So each
 * message is counted once, even if its partition moves. A sum of the members' rates would count a moving partition twice or not at all.
 */
export function handledBy(
  { now, members, handled }: Model,
  answers: readonly MemberStats[],
): Model['handled'] {
  const [first, last] = [handled.series[0], handled.series.at(-1)];
  if (!first || !last) {
    // The number is unknown until a member answers.
    return { series: answers.length === 0 ? [] : [{ at: now, value: 0 }], after: 0 };
  }
  const growth = answers.map((stats) => {
    const member = members.get(stats.session);
    if (!member) return 0;
    if (member.stats) return stats.handled - member.stats.handled;
    // If the member started after the first polling round, all its messages count.
    return now - stats.uptimeMs > first.at ? stats.handled : 0;
  });
  const value = growth.reduce((sum, each) => sum + each, last.value + handled.after);
  return { series: append(handled.series, now, value, 'count'), after: 0 };
}

/**
 * Estimates how many messages a member handled between its last answer and its departure. Without the estimate, the group's rate would drop
 * for a moment.
 */
export function tailOf({ series }: Model['handled'], { handled, statsAt }: Member, at: number): number {
  const rate = ratePerSecond(handled);
  const hasAnswered = statsAt !== null && statsAt === series.at(-1)?.at;
  return hasAnswered && rate !== null ? Math.round((rate * (at - statsAt)) / 1_000) : 0;
}
