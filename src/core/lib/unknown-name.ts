import { inWords } from './in-words.js';
import { nearest } from './nearest.js';

/** The message for an option or field that `owner` does not have. */
export function unknownName(
  owner: string,
  kind: 'option' | 'field',
  name: string,
  known: readonly string[],
): string {
  const meant = nearest(name, known);
  const all = kind === 'option' ? 'Options' : 'Fields';
  const help = meant ? `Did you mean ${meant}?` : `${all}: ${known.join(', ')}.`;
  return `${owner} has no ${kind} ${inWords(name)}. ${help}`;
}
