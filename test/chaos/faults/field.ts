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
  /** The group is a keyed one. */
  readonly isKeyed: boolean;
  /** A resize is under way. */
  resizing: boolean;
  readonly ttlMs: number;
  readonly mostMembers: number;
  /** Permitted kinds of faults; undefined: all. */
  readonly wanted: readonly FaultKind[] | undefined;
  /** A server is down: no other server may be killed, and no member can join. */
  serverDown: boolean;
  /** Paused partitions. */
  readonly paused: Set<number>;
  /** Entries may have vanished without a marker: restarts the harness's watch. */
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

/** Minimum number of members that can always handle messages. */
const ABLE_AT_LEAST = 2;

/** True if enough members remain when one of them is missing. */
export const canSpare = ({ members }: Field): boolean =>
  members.able.length > ABLE_AT_LEAST && members.idle.length > 0;

/** A member without a current fault. */
export function victim({ random, members }: Field, fits: (member: Member) => boolean = () => true): Member {
  const member = random.oneOf(members.idle.filter(fits));
  if (!member) throw new Error('there is no member for this fault');
  return member;
}
