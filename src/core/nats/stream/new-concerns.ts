import type { StreamConfig } from 'nats';
import type { Concern } from '../client/concern.js';

/**
 * Reports concerns that appear while a member runs. A concern that disappears and returns is reported again.
 *
 * @param known the concerns at the start.
 * @returns a function that compares the stream's present configuration.
 */
export function newConcerns(
  known: readonly Concern[],
  judge: (stream: StreamConfig) => Concern[],
  tell: (concern: Concern) => void,
): (stream: StreamConfig) => void {
  let present = new Set(known.map(({ message }) => message));
  return (stream) => {
    const found = judge(stream).filter(({ uses }) => uses.includes('handle'));
    for (const concern of found) if (!present.has(concern.message)) tell(concern);
    present = new Set(found.map(({ message }) => message));
  };
}
