import { messageOf } from '../lib/errors.js';
import type { Report } from '../protocol/events.js';
import type { GroupMember } from './group-member.js';
import type { FailedAttempt } from './member-events.js';
import type { Logger, LogLevel } from './partition/logger.js';
import {
  describeCautious,
  describeFailed,
  describeKeyless,
  describeOverdue,
  describeReport,
  describeTrimmed,
  describeUncommitted,
  describeUncovered,
  describeUnread,
} from './status-lines.js';

/** A lasting condition is logged again after this time, in milliseconds. */
const REPEAT_AFTER_MS = 60_000;

/** The level of each event that needs attention; other events are routine, and are not logged. */
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

/** Returns a function that is true for a text at most once per {@link REPEAT_AFTER_MS}. */
export function sparingly(): (text: string) => boolean {
  const saidAt = new Map<string, number>();
  return (text) => {
    const now = performance.now();
    if (now - (saidAt.get(text) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return false;
    for (const [said, at] of saidAt) if (now - at >= REPEAT_AFTER_MS) saidAt.delete(said);
    saidAt.set(text, now);
    return true;
  };
}

/** A logger that repeats a text only after {@link REPEAT_AFTER_MS}. */
export function sparing(logger: Logger): Logger {
  const isDue = sparingly();
  const at = (level: LogLevel) => (fields: object, text: string) => {
    if (isDue(text)) logger[level](fields, text);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A text without its numbers. So the same condition has the same text, although a time or a number of messages varies. */
const withoutNumbers = (text: string): string => text.replace(/\d[\d.,]*/g, '#');

/** An event of a member, as a log line. */
export interface Told {
  event: string;
  text: string;
  /** The values of the event. An error is in the field `error`. */
  fields: object;
  level: LogLevel;
  /** `report` is set if the event is a report, and `failed` if it is a failed attempt. */
  report?: Report;
  failed?: FailedAttempt;
}

/**
 * Reports each event of a member that is of interest to people. Handled and committed messages are not reported. A partition that starts
 * again and again, or cannot be read, for the same reason is reported once a minute.
 */
export function tellEvents(
  member: GroupMember,
  { group, drainTimeoutMs }: { group: string; drainTimeoutMs: number },
  tell: (told: Told) => void,
): void {
  const warn = (event: string, fields: object, text: string): void =>
    tell({ event, fields, text, level: 'warn' });
  /** Failed attempts that made partitions halt. */
  const halting = new Map<number, object>();
  const isDue = sparingly();
  const isNew = (partition: number, reason: string): boolean =>
    isDue(`p${partition}: ${withoutNumbers(reason)}`);
  member.on('report', (report) => {
    const { type: event, ...values } = report;
    const fields = report.type === 'halted' ? { ...values, ...halting.get(report.partition) } : values;
    if (report.type === 'halted') halting.delete(report.partition);
    const text = describeReport(report, group);
    if (report.type === 'retrying' && !isNew(report.partition, `again: ${report.message}`)) return;
    tell({ event, fields, text, level: levelOf(event), report });
  });
  member.on('failed', (failed) => {
    const { partition, message, attempt, error, then } = failed;
    const about = { sequence: message.sequence, attempt, error };
    // A failed attempt that halts the partition is logged together with the report of the halt.
    if (then === 'halt') halting.set(partition, about);
    else {
      const fields = { partition, ...about, then };
      tell({ event: 'failed', fields, text: describeFailed(failed), level: 'warn', failed });
    }
  });
  member.on('trimmed', (trimmed) => warn('trimmed', trimmed, describeTrimmed(trimmed)));
  member.on('uncovered', (found) => warn('uncovered', found, `warning: ${describeUncovered(found)}`));
  member.on('keyless', (message) => warn('keyless', message, `warning: ${describeKeyless(message)}`));
  member.on('cautious', (cautious) => warn('cautious', cautious, describeCautious(cautious)));
  member.on('unread', (unread) => {
    if (isNew(unread.partition, unread.reason)) warn('unread', unread, describeUnread(unread));
  });
  member.on('uncommitted', (range) => warn('uncommitted', range, describeUncommitted(range)));
  member.on('overdue', (overdue) => warn('overdue', overdue, describeOverdue(overdue, drainTimeoutMs)));
}

/**
 * Logs one line for each problem of a member. Even a program without listeners thus learns why partitions make no progress. Its fields are
 * `event`, `group` and the event's values. An error is in `err`, as in pino.
 */
export function logProblems(
  member: GroupMember,
  logger: Logger,
  group: string,
  drainTimeoutMs: number,
): void {
  const isDue = sparingly();
  let isBreakLogged = true;
  tellEvents(member, { group, drainTimeoutMs }, ({ event, text, fields, level, report, failed }) => {
    if (report && !LEVELS[report.type]) return;
    // A message that is tried again may still succeed, so this attempt is not logged.
    if (failed?.then === 'retry') return;
    // The end of a break is logged if the break was. Otherwise a connection that breaks again and again would fill the log.
    if (report?.type === 'reconnected' && !isBreakLogged) return;
    const isLogged = isDue(report?.type === 'blocked' ? `blocked p${report.partition}` : text);
    if (report?.type === 'disconnected') isBreakLogged = isLogged;
    if (!isLogged) return;
    const { error: err, ...others } = { error: undefined, ...fields };
    logger[level](
      { event, group, ...others, ...('error' in fields && { err }) },
      text.replace(/^warning: /, ''),
    );
  });
}

/** Logs that a listener of the program failed. */
export function logListenerFailure(logger: Logger, event: string, err: unknown): void {
  logger.error({ event, err }, `a listener of the event ${event} failed: ${messageOf(err)}`);
}
