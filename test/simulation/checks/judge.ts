/**
 * Possible violations: the invariants of SPEC.md and two more. `ended`: a member or the run ended with an error. `quota`: a member handled
 * more messages than permitted.
 */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'ended'
  | 'quota';

/** The first violation of a run. `at` is in milliseconds of true time. */
export interface Violation {
  invariant: Invariant;
  message: string;
  at: number;
}

/** Keeps the first violation of a run. Also keeps the trace, if requested. */
export class Judge {
  violation: Violation | undefined;
  readonly #now: () => number;
  readonly #trace: ((line: string) => void) | undefined;

  constructor(now: () => number, trace: ((line: string) => void) | undefined) {
    this.#now = now;
    this.#trace = trace;
  }

  /** True if the trace is kept. If false, callers need not format lines for it. */
  get isTracing(): boolean {
    return this.#trace !== undefined;
  }

  /** Milliseconds of true time. */
  get now(): number {
    return this.#now();
  }

  note(line: string): void {
    this.#trace?.(`${(this.#now() / 1_000).toFixed(3).padStart(8)}  ${line}`);
  }

  violate(invariant: Invariant, message: string): void {
    if (this.violation) return;
    this.violation = { invariant, message, at: this.#now() };
    this.note(`VIOLATION of ${invariant}: ${message}`);
  }
}
