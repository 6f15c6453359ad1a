import type { Tenure } from '../core/admin/history.js';
import { escapeControl } from '../core/lib/text.js';
import { formatDuration } from '../core/lib/units.js';
import { formatTable } from './table.js';
import { timeOfDay } from './time-of-day.js';

const HOW = { claim: 'claimed', handover: 'handed over', release: 'released' } as const;

/**
 * The tenures for people, oldest first.
 *
 * @param width of the terminal. The least important columns are omitted if necessary.
 */
export function formatTenures(tenures: readonly Tenure[], width?: number): string[] {
  return formatTable(
    [
      { title: 'SINCE' },
      { title: 'OWNER' },
      { title: 'FROM', rank: 2 },
      { title: 'HOW', rank: 1 },
      { title: 'EPOCH', align: 'right', rank: 3 },
      { title: 'HELD FOR', align: 'right' },
      { title: 'GAP BEFORE', align: 'right' },
    ],
    tenures.map(({ at, owner, from, reason, closed, epoch, heldMs, gapMs }) => [
      timeOfDay(Date.parse(at), true),
      owner === null ? '-' : escapeControl(owner),
      from === null ? '-' : escapeControl(from),
      reason === null ? '-' : closed ? 'closed' : HOW[reason],
      String(epoch),
      formatDuration(heldMs),
      gapMs === null ? '?' : gapMs === 0 ? '-' : `<= ${formatDuration(gapMs)}`,
    ]),
    width,
  );
}
