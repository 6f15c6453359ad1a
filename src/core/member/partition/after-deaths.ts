import { type Crashes, carriedOver, needsCaution } from '../../protocol/crashes.js';
import { Caution, type CautionPorts } from './caution.js';
import type { Committer } from './committer.js';
import { Lead } from './lead.js';
import type { PartitionWork } from './work.js';

/** The position of an owner that takes over after deaths. */
interface Found {
  crashes: Crashes;
  sequence: number;
  /** The position up to which this member had handled under the same epoch. */
  resumed: number;
}

/**
 * Makes the work careful after deaths of earlier owners: near the position, and one message at a time while the
 * cause is sought.
 *
 * @returns the number of deaths if the cause is sought.
 */
export function handleAfterDeaths(
  work: Pick<PartitionWork, 'keepShort' | 'beCautious'>,
  committer: Pick<
    Committer,
    'countsDeaths' | 'lead' | 'committed' | 'whenWritten' | 'trying' | 'tried' | 'crashed'
  >,
  { crashes, sequence, resumed }: Found,
  maxCrashes: number,
  ports: Pick<CautionPorts, 'alone' | 'permit' | 'isCaughtUp'>,
): number | undefined {
  if (committer.countsDeaths) {
    work.keepShort(
      new Lead({
        messages: committer.lead,
        committed: () => committer.committed,
        whenWritten: (resume) => committer.whenWritten(resume),
        isOver: () => !committer.countsDeaths,
      }),
    );
  }
  // If this member starts again, its first commit moves the position. The cause may then be one of the next messages.
  const counted = resumed === sequence ? crashes : carriedOver(crashes, sequence, maxCrashes);
  const deaths = counted.crashes ?? 0;
  if (!needsCaution(deaths, maxCrashes)) return undefined;
  const { alone, permit, isCaughtUp } = ports;
  work.beCautious(
    new Caution(counted, maxCrashes, {
      lead: committer.lead,
      alone,
      permit,
      isCaughtUp,
      trying: (message) => committer.trying(message),
      tried: () => committer.tried(),
      crashed: (left) => committer.crashed(left),
    }),
  );
  return deaths;
}
