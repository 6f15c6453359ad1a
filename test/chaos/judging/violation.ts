/** What a run can be found guilty of, and what each means. */
export const CHARGES = {
  lost: 'a confirmed message that nobody handled',
  'silent-loss': 'messages that the stream dropped, of which no member told',
  damaged: 'a message that arrived other than it was published',
  'stored-twice': 'a message that the stream holds twice',
  disorder: 'a message handled before one that comes before it',
  overlap: 'two handlers of one partition at once',
  'late-start': 'a handler that started under an epoch that was over',
  repeat: 'a message handled again with no fault that explains it',
  position: 'a position that went back, or passed a message that was not handled',
  paused: 'a message handled in a partition that rested',
  unrest: 'a group that did not come to rest',
  process: 'a process that ended otherwise than it was told to',
} as const;

/** One kind of what a run can be found guilty of. */
export type Charge = keyof typeof CHARGES;

/** Something that must not happen, and did. */
export interface Violation {
  charge: Charge;
  /** Milliseconds since the start of the run. */
  at: number;
  partition?: number | undefined;
  text: string;
}
