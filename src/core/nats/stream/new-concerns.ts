import type { StreamConfig } from 'nats';
import type { Concern } from '../client/concern.js';

/**
 * Tells which concerns appear while a member runs, because the stream is changed. A concern is told again only if it was gone meanwhile.
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
