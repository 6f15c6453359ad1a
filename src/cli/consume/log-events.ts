import type { Config } from '../../core/config/config.js';
import { systemClock } from '../../core/lib/clock.js';
import type { GroupMember } from '../../core/member/group-member.js';
import { type Told, tellEvents } from '../../core/member/member-log.js';
import { formatMemoryLine } from '../../core/member/stats/memory.js';
import type { Report } from '../../core/protocol/events.js';
import type { Note } from '../log-line.js';
import { MoveLines } from './move-lines.js';

/** Writes a line for each event. The moves of a rebalance share a line. Returns a function that writes waiting moves now. */
export function logEvents(member: GroupMember, config: Config, note: Note): () => void {
  const { group } = config;
  const moves = new MoveLines(systemClock, (text, fields) => note(text, { ...fields, group }));
  const tell = ({ event, text, fields, level, report }: Told): void => {
    if (report && moves.add(report)) return;
    // Write waiting moves first, to keep the order.
    moves.flush();
    note(`${text}${report ? remedyFor(report) : ''}`, { level, event, group, ...fields });
  };
  tellEvents(member, config, tell);
  member.on('memory', (sample) =>
    tell({ event: 'memory', text: formatMemoryLine(sample), fields: sample, level: 'info' }),
  );
  return () => moves.flush();
}

function remedyFor(report: Report): string {
  if (report.type === 'halted')
    return `; "natspoc leases retry ${report.partition}" starts the partition again, "natspoc leases" shows more`;
  const isHeldUp = report.type === 'standing' && report.partition !== null;
  return isHeldUp ? '; "natspoc leases" shows what to do' : '';
}
