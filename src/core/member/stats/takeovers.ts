import type { Report } from '../../protocol/events.js';

/** How long this member took to start each of its partitions. */
export class Takeovers {
  readonly #known = new Map<number, { epoch: number; tookMs: number }>();

  /** Records the duration from an `acquired` report; ignores other reports. */
  note(report: Report): void {
    if (report.type !== 'acquired') return;
    const { partition, epoch, tookMs } = report;
    this.#known.set(partition, { epoch, tookMs });
  }

  /** Milliseconds from getting the lease of this epoch to the start of handling; undefined before that start. */
  tookMs(partition: number, epoch: number): number | undefined {
    const known = this.#known.get(partition);
    return known?.epoch === epoch ? known.tookMs : undefined;
  }
}
