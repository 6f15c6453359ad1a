/** The charges of a run, and their meanings. */
export const CHARGES = {
  lost: 'a confirmed message that was never handled',
  'silent-loss': 'messages that the stream dropped and no member reported',
  damaged: 'a message that differs from the published message',
  'stored-twice': 'a message that the stream has stored twice',
  disorder: 'a message handled before an earlier message',
  overlap: 'two simultaneous handlers of a partition',
  'late-start': 'a handler that started under an ended epoch',
  repeat: 'a message handled again without a fault that explains it',
  position: 'a position that decreased, or passed a message that was not handled',
  paused: 'a message handled in a paused partition',
  unrest: 'a group that did not come to rest in time',
  resize: 'a layout that began before every partition was closed, or at other positions',
  process: 'a process that ended unexpectedly, or with an error',
} as const;

export type Charge = keyof typeof CHARGES;

/** A violation that the judge has found. */
export interface Violation {
  charge: Charge;
  /** Milliseconds since the start of the run. */
  at: number;
  partition?: number | undefined;
  text: string;
}
