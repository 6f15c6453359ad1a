import { closest, distance } from 'fastest-levenshtein';

/** The largest number of changed letters in a typing error; a word with more changes is a different word. */
const MOST_CHANGES = 3;

/** The candidate that a mistyped word probably means; undefined if no candidate is similar. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const found = closest(word, candidates);
  const most = Math.min(MOST_CHANGES, Math.floor(word.length / 2));
  return distance(word, found) <= most ? found : undefined;
}
