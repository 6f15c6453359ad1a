import type { Report } from '../../protocol/events.js';

/** How long this member took to begin with each of its partitions. */
export class Takeovers {
  readonly #known = new Map<number, { epoch: number; tookMs: number }>();

  /** Keeps what a report says of a beginning; others are passed over. */
  note(report: Report): void {
    if (report.type !== 'acquired') return;
    const { partition, epoch, tookMs } = report;
    this.#known.set(partition, { epoch, tookMs });
  }

  /** Milliseconds from getting the lease of this epoch to handling; undefined: it has not begun. */
  tookMs(partition: number, epoch: number): number | undefined {
    const known = this.#known.get(partition);
    return known?.epoch === epoch ? known.tookMs : undefined;
  }
}
