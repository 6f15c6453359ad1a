import type { Report } from '../protocol/events.js';
import type { GroupMember } from './group-member.js';
import type { Logger } from './partition/handler.js';
import {
  describeFailed,
  describeOverdue,
  describeReport,
  describeTrimmed,
  describeUncommitted,
  describeUncovered,
  describeUnread,
} from './status-lines.js';

/** How often a lasting condition is logged, milliseconds. */
const REPEAT_AFTER_MS = 60_000;

/** The level of each event that needs attention; other events are routine and not logged. */
const LEVELS: Partial<Record<Report['type'], 'info' | 'warn' | 'error'>> = {
  halted: 'error',
  lost: 'warn',
  expired: 'warn',
  resumed: 'info',
  fenced: 'warn',
  retrying: 'warn',
  unreadable: 'warn',
  'probing-denied': 'warn',
};

/**
 * Logs one line for each problem of a member, so that a program without listeners still learns why partitions stand
 * still.
 */
export function logProblems(
  member: GroupMember,
  logger: Logger,
  group: string,
  drainTimeoutMs: number,
): void {
  const saidAt = new Map<string, number>();
  const say = (level: 'info' | 'warn' | 'error', text: string): void => {
    const now = performance.now();
    if (now - (saidAt.get(text) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return;
    for (const [said, at] of saidAt) if (now - at >= REPEAT_AFTER_MS) saidAt.delete(said);
    saidAt.set(text, now);
    logger[level](text);
  };
  member.on('report', (report) => {
    const level = LEVELS[report.type];
    if (level) say(level, describeReport(report, group).replace(/^warning: /, ''));
  });
  member.on('failed', (failed) => {
    // Only after the last attempt: an earlier one may still succeed on retry, and a halt has its own report.
    if (failed.then === 'dead-letter' || failed.then === 'skip') say('warn', describeFailed(failed));
  });
  member.on('trimmed', (trimmed) => say('warn', describeTrimmed(trimmed)));
  member.on('uncovered', (found) => say('warn', describeUncovered(found)));
  member.on('unread', (unread) => say('warn', describeUnread(unread)));
  member.on('uncommitted', (uncommitted) => say('warn', describeUncommitted(uncommitted)));
  member.on('overdue', (overdue) => say('warn', describeOverdue(overdue, drainTimeoutMs)));
}
