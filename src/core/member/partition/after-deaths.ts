import { type Crashes, carriedOver, needsCaution } from '../../protocol/crashes.js';
import { Caution, type CautionPorts } from './caution.js';
import type { Committer } from './committer.js';
import { Lead } from './lead.js';
import type { PartitionWork } from './work.js';

/** The position that an owner has taken over, possibly after deaths of earlier owners. */
interface Found {
  crashes: Crashes;
  sequence: number;
  /** Under the same epoch, this member had already handled messages up to this sequence. */
  resumed: number;
}

/**
 * After deaths of earlier owners, only messages near the committed position may be started. While the cause of the deaths is sought,
 * messages are handled one at a time.
 *
 * @returns the number of deaths if the cause is sought; otherwise undefined.
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
  // After earlier work under the same epoch, this member's first commit moves the position forward. The message that caused the deaths can
  // still come later, so the deaths are carried over.
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
