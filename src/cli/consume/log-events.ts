import type { Config } from '../../core/config/config.js';
import { systemClock } from '../../core/lib/clock.js';
import type { GroupMember } from '../../core/member/group-member.js';
import { levelOf } from '../../core/member/member-log.js';
import type { LogLevel } from '../../core/member/partition/logger.js';
import { formatMemoryLine } from '../../core/member/stats/memory.js';
import {
  describeCautious,
  describeFailed,
  describeOverdue,
  describeReport,
  describeTrimmed,
  describeUncommitted,
  describeUncovered,
  describeUnread,
} from '../../core/member/status-lines.js';
import type { Note } from '../log-line.js';
import { MoveLines } from './move-lines.js';

/** Writes a line for each event; the moves of a rebalance share one. Returns what writes those that wait for others. */
export function logEvents(member: GroupMember, config: Config, note: Note): () => void {
  const { group } = config;
  const moves = new MoveLines(systemClock, (text, fields) => note(text, { ...fields, group }));
  // In order: what waits is written first.
  const tell = (event: string, line: string, fields: object, level: LogLevel = 'warn'): void => {
    moves.flush();
    note(line, { level, event, group, ...fields });
  };
  member.on('report', (report) => {
    const { type, ...fields } = report;
    if (!moves.add(report)) tell(type, describeReport(report, group), fields, levelOf(type));
  });
  member.on('failed', (failed) => {
    const { partition, message, attempt, error, then } = failed;
    // A halt has its own report.
    if (then !== 'halt')
      tell('failed', describeFailed(failed), { partition, sequence: message.sequence, attempt, error, then });
  });
  member.on('trimmed', (trimmed) => tell('trimmed', describeTrimmed(trimmed), trimmed));
  member.on('uncovered', (found) => tell('uncovered', `warning: ${describeUncovered(found)}`, found));
  member.on('cautious', (cautious) => tell('cautious', describeCautious(cautious), cautious));
  member.on('unread', (unread) => tell('unread', describeUnread(unread), unread));
  member.on('uncommitted', (range) => tell('uncommitted', describeUncommitted(range), range));
  member.on('overdue', (overdue) =>
    tell('overdue', describeOverdue(overdue, config.drainTimeoutMs), overdue),
  );
  member.on('memory', (sample) => tell('memory', formatMemoryLine(sample), sample, 'info'));
  return () => moves.flush();
}
