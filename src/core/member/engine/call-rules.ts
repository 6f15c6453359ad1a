import { Alone } from '../partition/alone.js';
import { GiveUps } from '../partition/give-ups.js';
import { Pauses } from '../partition/pauses.js';
import { Permit } from '../partition/permit.js';
import { type CallLimit, Slots } from '../partition/slots.js';
import { TimeSlice } from '../partition/time-slice.js';
import type { MemberPorts, MemberSettings } from './contract.js';

/** The rules that decide whether a handler may be called, shared by all partitions of a member. */
export class CallRules {
  /** The time until which handlers may start and commits may be sent. */
  readonly permit: Permit;
  /** Lets partitions take turns. */
  readonly slice: TimeSlice;
  /** Lets cautious partitions call their handlers one at a time. They search for the message that killed earlier owners. */
  readonly alone = new Alone();
  /** Limits the calls that run at the same time; undefined if there is no limit. */
  readonly slots: CallLimit | undefined;
  /** The partitions that the program has paused. */
  readonly pauses: Pauses;
  /** The messages that operators have skipped. */
  readonly giveUps = new GiveUps();

  constructor(
    { maxConcurrency }: Pick<MemberSettings, 'maxConcurrency'>,
    { clock, limit }: Pick<MemberPorts, 'clock' | 'limit'>,
  ) {
    this.permit = new Permit(clock);
    this.slice = new TimeSlice(clock);
    this.slots = limit ?? (maxConcurrency === undefined ? undefined : new Slots(maxConcurrency));
    this.pauses = new Pauses(clock);
  }
}
