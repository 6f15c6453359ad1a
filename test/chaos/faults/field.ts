import type { JetStreamManager } from 'nats';
import type { Random } from '../../simulation/model/random.js';
import type { CliExit } from '../../support/cli.js';
import type { Recording } from '../recording/recording.js';
import type { FaultKind } from '../recording/records.js';
import type { Member, Members } from '../stage/members.js';
import type { Servers } from '../stage/servers.js';

/** What faults act upon. */
export interface Field {
  readonly random: Random;
  readonly members: Members;
  readonly servers: Servers;
  readonly recording: Recording;
  readonly manager: JetStreamManager;
  /** The stream of the messages and that of the bucket. */
  readonly streams: readonly [events: string, bucket: string];
  readonly group: string;
  readonly partitions: number;
  readonly ttlMs: number;
  readonly mostMembers: number;
  /** The kinds of fault that may come; undefined: all. */
  readonly wanted: readonly FaultKind[] | undefined;
  /** A server is being killed or coming back: no other one may be, and nobody can join. */
  serverDown: boolean;
  /** Partitions that somebody has paused. */
  readonly paused: Set<number>;
  /** Entries may be gone that no watch tells of: the harness begins to watch anew. */
  lookAgain(): void;
  /** Runs `natspoc` with these arguments on the run's servers. */
  command(args: readonly string[]): Promise<CliExit>;
}

/** A kind of disturbance. */
export interface Fault {
  kind: FaultKind;
  /** Whether it can be done now without leaving the group without members. */
  isPossible(field: Field): boolean;
  /** Does it, and resolves when it is over. */
  strike(field: Field): Promise<void>;
}

/** Members that must be able to handle messages whatever is done to the others. */
const ABLE_AT_LEAST = 2;

/** Whether one member less can be borne. */
export const canSpare = ({ members }: Field): boolean =>
  members.able.length > ABLE_AT_LEAST && members.idle.length > 0;

/** A member to whom nothing is being done. */
export function victim({ random, members }: Field, fits: (member: Member) => boolean = () => true): Member {
  const member = random.oneOf(members.idle.filter(fits));
  if (!member) throw new Error('there is no member for this fault');
  return member;
}
