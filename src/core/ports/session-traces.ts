/** The newest entry of a session's key, or of its proof of life. All times are on the same clock, in milliseconds. */
export interface SessionTrace {
  kind: 'session' | 'proof';
  id: string;
  revision: number;
  ended: boolean;
  atMs: number;
}

/** The traces of one group's sessions in the bucket. */
export interface SessionTraces {
  /** All traces, and the current time on the server's clock. Rejects if the traces cannot be read. */
  read(): Promise<{ traces: SessionTrace[]; nowMs: number }>;
  /** Deletes all entries of a trace's key up to and including the trace. Rejects on failure. */
  purge(trace: SessionTrace): Promise<void>;
}
