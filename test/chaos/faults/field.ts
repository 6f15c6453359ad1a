import type { JetStreamManager } from 'nats';
import type { Random } from '../../simulation/model/random.js';
import type { CliExit } from '../../support/cli.js';
import type { Recording } from '../recording/recording.js';
import type { FaultKind } from '../recording/records.js';
import type { Member, Members } from '../stage/members.js';
import type { Servers } from '../stage/servers.js';

/** The targets of faults. */
export interface Field {
  readonly random: Random;
  readonly members: Members;
  readonly servers: Servers;
  readonly recording: Recording;
  readonly manager: JetStreamManager;
  /** The streams of the messages and of the bucket. */
  readonly streams: readonly [events: string, bucket: string];
  readonly group: string;
  /** The current number of partitions. */
  readonly partitions: number;
  /** True if the group is keyed. */
  readonly isKeyed: boolean;
  /** True while a resize is in progress. */
  resizing: boolean;
  readonly ttlMs: number;
  readonly mostMembers: number;
  /** The permitted kinds of faults; undefined permits all kinds. */
  readonly wanted: readonly FaultKind[] | undefined;
  /** True while a server is down. Until the server runs again, no other server may be killed, and no member can join. */
  serverDown: boolean;
  /**
   * True while a member is restarted. During the restart no server may be killed, because the new process of the member could not start.
   */
  restarting: boolean;
  /** Paused partitions. */
  readonly paused: Set<number>;
  /** Restarts the harness's watch, because entries may have vanished without a deletion marker. */
  lookAgain(): void;
  /** Runs `natspoc` with these arguments on the run's servers. */
  command(args: readonly string[]): Promise<CliExit>;
}

/** A kind of fault. */
export interface Fault {
  kind: FaultKind;
  /** True if the fault is possible now and leaves enough members. */
  isPossible(field: Field): boolean;
  /** Injects the fault, and resolves when the fault is over. */
  strike(field: Field): Promise<void>;
}

/** At any time, at least this many members can handle messages. */
const ABLE_AT_LEAST = 2;

/** True if enough members remain when one more member gets a fault. */
export const canSpare = ({ members }: Field): boolean =>
  members.able.length > ABLE_AT_LEAST && members.idle.length > 0;

/** Picks a member that has no fault at the moment. */
export function victim({ random, members }: Field, fits: (member: Member) => boolean = () => true): Member {
  const member = random.oneOf(members.idle.filter(fits));
  if (!member) throw new Error('there is no member for this fault');
  return member;
}
