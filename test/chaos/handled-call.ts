import type { Call } from './recording/history.js';

/** A call for falsified histories: a message that was handled in 5 ms, at the first attempt. */
export function handledCall(
  about: Pick<Call, 'process' | 'partition' | 'epoch' | 'seq' | 'key' | 'from'>,
): Call {
  const { seq, from } = about;
  return {
    ...about,
    ...{ attempt: 1, number: seq, intact: true, deaf: false, batch: seq },
    ...{ to: from + 5, how: 'handled', toldAt: undefined },
  };
}
