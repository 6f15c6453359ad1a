import { setTimeout as sleep } from 'node:timers/promises';
import type { CliExit } from '../../support/cli.js';
import type { Fault, Field } from './field.js';
import { outcomeOf } from './outcome.js';

/** A group is resized from one of these numbers of partitions to another. Some pairs have a common divisor. */
const COUNTS = [5, 8, 12, 64];
/** The share of resizes that are withdrawn, and the latest time of the withdrawal, in milliseconds. */
const WITHDRAWN = 0.2;
const WITHDRAWN_WITHIN_MS = 1_500;
/** A command is repeated for this long, in milliseconds. A server can be down, or members can be stopped. */
const TIMEOUT_MS = 90_000;

/** The part of the field that a resize uses. */
export type ResizeField = Pick<Field, 'recording' | 'command'> & { readonly partitions: number };

/** Resizes the group, and waits for the result. After the time in `withdraw`, an unfinished resize is withdrawn. */
export async function resizeTo(
  { recording, command, partitions: from }: ResizeField,
  to: number,
  withdraw?: { afterMs: number },
): Promise<void> {
  const end = recording.fault('resize', `${from} to ${to}`);
  const abort = (): Promise<CliExit> => untilDone(command, ['leases', 'resize', '--abort'], () => true);
  const withdrawing = withdraw && sleep(withdraw.afterMs).then(abort);
  const isFinal = ({ stdout, stderr }: CliExit): boolean =>
    /^(Resized|Group .* already)|has not finished its last/.test(stdout + stderr);
  const last = await untilDone(
    command,
    ['leases', 'resize', `${to}`],
    (exit) => withdraw !== undefined || isFinal(exit),
  );
  await withdrawing;
  // The repeated command can request the resize after the first withdrawal, so withdraw it once more.
  if (withdraw) await abort();
  end(last.code === 0 ? (last.stdout.split('\n')[0] ?? '') : outcomeOf(last));
}

/** Repeats a command until its answer is final, or the timeout has passed. */
async function untilDone(
  command: Field['command'],
  args: readonly string[],
  isFinal: (exit: CliExit) => boolean,
): Promise<CliExit> {
  const giveUpAt = performance.now() + TIMEOUT_MS;
  for (;;) {
    const exit = await command(args);
    // Exit code 3 means that no server answers.
    if ((exit.code !== 3 && isFinal(exit)) || performance.now() > giveUpAt) return exit;
    await sleep(300);
  }
}

/** An operator resizes the group, and sometimes withdraws the resize. */
export const resize: Fault = {
  kind: 'resize',
  isPossible: ({ resizing, serverDown }) => !resizing && !serverDown,
  async strike(field) {
    const { random } = field;
    const to = random.oneOf(COUNTS.filter((count) => count !== field.partitions)) ?? field.partitions;
    const afterMs = random.between(0, WITHDRAWN_WITHIN_MS);
    field.resizing = true;
    await resizeTo(field, to, random.chance(WITHDRAWN) ? { afterMs } : undefined);
    field.resizing = false;
  },
};
