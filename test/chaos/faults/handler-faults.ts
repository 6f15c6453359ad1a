import { setTimeout as sleep } from 'node:timers/promises';
import { MODE_POLL_MS, type Mode } from '../recording/mode.js';
import { type Fault, type Field, victim } from './field.js';

/** Changes the behavior of a member's handler for some time. The run records a fault of this `kind`. */
async function misbehave(field: Field, kind: 'slow' | 'failing' | 'deaf', mode: Mode): Promise<void> {
  const { random, members, recording } = field;
  const member = victim(field);
  member.state = 'badly behaved';
  const end = recording.fault(kind, member.name);
  members.behave(member, mode);
  await sleep(random.between(2_000, 5_000));
  members.behave(member, { kind: 'normal' });
  // By then, the member has certainly read the mode file.
  await sleep(3 * MODE_POLL_MS);
  member.state = 'idle';
  end('normal again');
}

const isPossible = ({ members }: Field): boolean => members.idle.length > 0;

/** Messages take a long time. The handler respects its signal. */
const slow: Fault = {
  kind: 'slow',
  isPossible,
  strike: (field) =>
    misbehave(field, 'slow', { kind: 'slow', ms: Math.round(field.random.between(50, 800)) }),
};

const failing: Fault = {
  kind: 'failing',
  isPossible,
  strike: (field) => misbehave(field, 'failing', { kind: 'failing', share: field.random.between(0.1, 0.7) }),
};

/** Messages take a long time, and the handler ignores its signal. Some take longer than the drain timeout. */
const deaf: Fault = {
  kind: 'deaf',
  isPossible,
  strike: (field) =>
    misbehave(field, 'deaf', { kind: 'deaf', ms: Math.round(field.random.between(200, 3_500)) }),
};

/** Faults of handlers. */
export const handlerFaults: readonly Fault[] = [slow, failing, deaf];
