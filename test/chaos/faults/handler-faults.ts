import { setTimeout as sleep } from 'node:timers/promises';
import { MODE_POLL_MS, type Mode } from '../recording/mode.js';
import { type Fault, type Field, victim } from './field.js';

/** Changes the behaviour of a member's handler for some time. `kind` is the kind of fault that the run records. */
async function misbehave(field: Field, kind: 'slow' | 'failing' | 'deaf', mode: Mode): Promise<void> {
  const { random, members, recording } = field;
  const member = victim(field);
  member.state = 'badly behaved';
  const end = recording.fault(kind, member.name);
  members.behave(member, mode);
  await sleep(random.between(2_000, 5_000));
  members.behave(member, { kind: 'normal' });
  // Wait until the member has certainly read the mode file, even on a busy machine.
  await sleep(3 * MODE_POLL_MS);
  member.state = 'idle';
  end('normal again');
}

const isPossible = ({ members }: Field): boolean => members.idle.length > 0;

/** Messages take a long time; the handler respects its signal. */
const slow: Fault = {
  kind: 'slow',
  isPossible,
  strike: (field) =>
    misbehave(field, 'slow', { kind: 'slow', ms: Math.round(field.random.between(50, 800)) }),
};

/** Calls fail and are retried. */
const failing: Fault = {
  kind: 'failing',
  isPossible,
  strike: (field) => misbehave(field, 'failing', { kind: 'failing', share: field.random.between(0.1, 0.7) }),
};

/** Messages take a long time, some longer than the drain timeout, and the handler ignores its signal. */
const deaf: Fault = {
  kind: 'deaf',
  isPossible,
  strike: (field) =>
    misbehave(field, 'deaf', { kind: 'deaf', ms: Math.round(field.random.between(200, 3_500)) }),
};

/** Faults of handlers. */
export const handlerFaults: readonly Fault[] = [slow, failing, deaf];
