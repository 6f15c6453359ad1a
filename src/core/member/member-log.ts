import { messageOf } from '../lib/errors.js';
import type { Report } from '../protocol/events.js';
import type { GroupMember } from './group-member.js';
import type { Logger, LogLevel } from './partition/logger.js';
import {
  describeCautious,
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
const LEVELS: Partial<Record<Report['type'], LogLevel>> = {
  halted: 'error',
  lost: 'warn',
  expired: 'warn',
  resumed: 'info',
  fenced: 'warn',
  retrying: 'warn',
  standing: 'warn',
  blocked: 'warn',
  disconnected: 'warn',
  reconnected: 'info',
  resizing: 'info',
  'resize-aborted': 'info',
  resized: 'info',
  'went-back': 'warn',
  unreadable: 'warn',
  'probing-denied': 'warn',
};

/** The level of an event of a member. */
export const levelOf = (type: Report['type']): LogLevel => LEVELS[type] ?? 'info';

/** A logger that repeats a text only after {@link REPEAT_AFTER_MS}. */
export function sparing(logger: Logger): Logger {
  const saidAt = new Map<string, number>();
  const at = (level: LogLevel) => (fields: object, text: string) => {
    const now = performance.now();
    if (now - (saidAt.get(text) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return;
    for (const [said, at] of saidAt) if (now - at >= REPEAT_AFTER_MS) saidAt.delete(said);
    saidAt.set(text, now);
    logger[level](fields, text);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * Logs one line for each problem of a member, so that a program without listeners still learns why partitions stand
 * still. The fields of a line are the `event` and its payload.
 */
export function logProblems(
  member: GroupMember,
  logger: Logger,
  group: string,
  drainTimeoutMs: number,
): void {
  const sparingly = sparing(logger);
  const warn = (event: string, fields: object, text: string): void =>
    sparingly.warn({ event, group, ...fields }, text);
  member.on('report', (report) => {
    const { type: event, ...fields } = report;
    const level = LEVELS[event];
    if (level)
      sparingly[level]({ event, group, ...fields }, describeReport(report, group).replace(/^warning: /, ''));
  });
  member.on('failed', (failed) => {
    const { partition, message, attempt, error: err, then } = failed;
    // Only after the last attempt: an earlier one may still succeed on retry, and a halt has its own report.
    if (then === 'dead-letter' || then === 'skip')
      warn('failed', { partition, sequence: message.sequence, attempt, then, err }, describeFailed(failed));
  });
  member.on('trimmed', (trimmed) => warn('trimmed', trimmed, describeTrimmed(trimmed)));
  member.on('uncovered', (found) => warn('uncovered', found, describeUncovered(found)));
  member.on('cautious', (cautious) => warn('cautious', cautious, describeCautious(cautious)));
  member.on('unread', (unread) => warn('unread', unread, describeUnread(unread)));
  member.on('uncommitted', (range) => warn('uncommitted', range, describeUncommitted(range)));
  member.on('overdue', (overdue) => warn('overdue', overdue, describeOverdue(overdue, drainTimeoutMs)));
}

/** Logs that a listener of the program failed. */
export function logListenerFailure(logger: Logger, event: string, err: unknown): void {
  logger.error({ event, err }, `a listener of the event ${event} failed: ${messageOf(err)}`);
}
