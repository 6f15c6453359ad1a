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
  readonly partitions: number;
  readonly isKeyed: boolean;
  resizing: boolean;
  readonly ttlMs: number;
  readonly mostMembers: number;
  /** The permitted kinds of faults. Default: all. */
  readonly wanted: readonly FaultKind[] | undefined;
  /** True while a server is down. Meanwhile no other server is killed, and no member can join. */
  serverDown: boolean;
  /** True while a member is restarted. Meanwhile no server is killed, because the member's new process could not start. */
  restarting: boolean;
  readonly paused: Set<number>;
  /** Restarts the harness's watch after entries vanished without a deletion marker. */
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

/** True if one more member can get a fault. */
export const canSpare = ({ members }: Field): boolean =>
  members.able.length > ABLE_AT_LEAST && members.idle.length > 0;

/** Picks a member that has no fault at the moment. */
export function victim({ random, members }: Field, fits: (member: Member) => boolean = () => true): Member {
  const member = random.oneOf(members.idle.filter(fits));
  if (!member) throw new Error('there is no member for this fault');
  return member;
}
