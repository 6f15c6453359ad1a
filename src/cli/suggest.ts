import { closest, distance } from 'fastest-levenshtein';

/** A typing error changes at most this many letters. */
const MOST_CHANGES = 3;

/** The candidate that is most similar to a mistyped word; undefined if none is similar. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const found = closest(word, candidates);
  const most = Math.min(MOST_CHANGES, Math.floor(word.length / 2));
  return distance(word, found) <= most ? found : undefined;
}
