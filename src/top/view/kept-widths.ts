/** How long a width is kept after it was last needed, in milliseconds. It can be kept up to twice as long. */
const KEEP_MS = 30_000;

/** The widths of a table's columns. A column becomes narrower only after half a minute. So columns do not jump while values change. */
export class KeptWidths {
  #since = Number.NEGATIVE_INFINITY;
  #recent: readonly number[] = [];
  #before: readonly number[] = [];

  /** The widths to use at `now`. The content needs the widths `needed`. */
  keep(now: number, needed: readonly number[]): readonly number[] {
    const passed = now - this.#since;
    if (passed >= KEEP_MS) {
      this.#before = passed < 2 * KEEP_MS ? this.#recent : [];
      this.#recent = [];
      this.#since = now;
    }
    this.#recent = needed.map((width, i) => Math.max(width, this.#recent[i] ?? 0));
    return this.#recent.map((width, i) => Math.max(width, this.#before[i] ?? 0));
  }
}

/** The kept widths of each table of a screen. */
export class TableWidths {
  readonly #tables = new Map<string, KeptWidths>();

  /** Makes the function that keeps the widths of one table at `now`. */
  of(table: string, now: number): (needed: readonly number[]) => readonly number[] {
    const known = this.#tables.get(table) ?? new KeptWidths();
    this.#tables.set(table, known);
    return (needed) => known.keep(now, needed);
  }
}
