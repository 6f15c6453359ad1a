import { keys } from '../../../src/core/protocol/keys.js';
import { decodePosition } from '../../../src/core/protocol/position-records.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import type { History } from '../recording/history.js';
import { describeCallFully, describeFault, describeTime } from './describe.js';
import type { Violation } from './violation.js';

/** Records this close to a violation are shown with it, in milliseconds. */
const AROUND_MS = 5_000;
/** Maximum number of calls, and of changes of leases and positions, that are shown with a violation. */
const CALLS = 8;
const CHANGES = 8;

/** The context of a violation: calls, leases and positions of its partition, and faults. */
export function contextOf({ at, partition }: Violation, history: History): string[] {
  const { calls, faults, lives } = history;
  const near = <T>(list: readonly T[], time: (each: T) => number, most: number): T[] =>
    [...list]
      .sort((a, b) => Math.abs(time(a) - at) - Math.abs(time(b) - at))
      .slice(0, most)
      .sort((a, b) => time(a) - time(b));
  const ofPartition = calls.filter(
    (call) => call.partition === partition && Math.abs(call.from - at) < AROUND_MS,
  );
  const around = faults.filter(({ from, to }) => from <= at + AROUND_MS && to >= at - AROUND_MS);
  const ends = lives.filter(({ exit }) => exit && Math.abs(exit.at - at) < AROUND_MS);
  return [
    ...around.map((fault) => `fault    ${describeFault(fault)}`),
    ...ends.map(
      ({ name, exit }) => `exit     ${describeTime(exit?.at ?? 0)} ${name} ${exit?.code ?? exit?.signal}`,
    ),
    ...near(leaseChanges(history, partition, at), (change) => change.at, CHANGES).map(({ text }) => text),
    ...near(ofPartition, ({ from }) => from, CALLS).map((call) => `call     ${describeCallFully(call)}`),
  ];
}

function leaseChanges(
  { bucket, settings: { group } }: History,
  partition: number | undefined,
  around: number,
): { at: number; text: string }[] {
  if (partition === undefined) return [];
  return bucket.flatMap(({ at, revision, key, value }) => {
    if (Math.abs(at - around) > AROUND_MS) return [];
    const bytes = Buffer.from(value ?? '', 'utf8');
    if (key === keys.lease(group, partition)) {
      const lease = decodeLease(bytes);
      const to = lease?.owner ? lease.name : 'no owner';
      return [{ at, text: `lease    ${describeTime(at)} epoch ${revision} to ${to} (${lease?.reason})` }];
    }
    if (key !== keys.position(group, partition)) return [];
    const position = decodePosition(bytes);
    const text = `position ${describeTime(at)} #${position?.seq} at epoch ${position?.epoch}`;
    return [{ at, text }];
  });
}
