/** The charges of a run, and their meanings. */
export const CHARGES = {
  lost: 'a confirmed message that was never handled',
  'silent-loss': 'messages that the stream dropped, and no member reported',
  damaged: 'a message that differs from what was published',
  'stored-twice': 'a message that the stream holds twice',
  disorder: 'a message handled before an earlier one',
  overlap: 'two simultaneous handlers of a partition',
  'late-start': 'a handler that started under an ended epoch',
  repeat: 'a message handled again without a fault that explains it',
  position: 'a position that went back, or passed a message that was not handled',
  paused: 'a message handled in a paused partition',
  unrest: 'a group that did not settle',
  resize: 'a layout that began before every partition was closed, or elsewhere',
  process: 'a process that ended unexpectedly, or with an error',
} as const;

/** A charge. */
export type Charge = keyof typeof CHARGES;

/** A violation. */
export interface Violation {
  charge: Charge;
  /** Milliseconds since the start of the run. */
  at: number;
  partition?: number | undefined;
  text: string;
}
