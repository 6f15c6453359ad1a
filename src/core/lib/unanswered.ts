import { NatspocError } from './errors.js';

/**
 * What is known about a request with an unknown outcome. `refusal`: the server refused it for now. `unheard`: why no server
 * received it. `closed`: the connection is closed, so there will be no answer. Without these, there was no answer in time.
 */
export interface Unanswered {
  refusal?: string | undefined;
  unheard?: string | undefined;
  closed?: NatspocError | undefined;
}

/**
 * Why a request has no known outcome, as part of a sentence.
 *
 * @param otherwise the text if nothing is known.
 */
export function whyUnanswered(
  { refusal, unheard, closed }: Unanswered,
  otherwise = 'the server did not answer in time',
): string {
  return closed ? 'the connection to NATS was lost' : (refusal ?? unheard ?? otherwise);
}

/**
 * The error for a request with an unknown outcome.
 *
 * @param doing what could not be done, such as "read the layout".
 */
export function unanswered(doing: string, outcome: Unanswered): NatspocError {
  const { refusal, unheard, closed } = outcome;
  const code =
    refusal !== undefined && !closed ? 'storage-failed' : unheard ? 'jetstream-disabled' : 'unreachable';
  return new NatspocError(code, `Could not ${doing}: ${whyUnanswered(outcome)}.`, { cause: closed });
}
