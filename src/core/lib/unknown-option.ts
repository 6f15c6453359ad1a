import { inWords } from './in-words.js';
import { nearest } from './nearest.js';

/** The message for an option that a call does not have. */
export function unknownOption(call: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const help = meant ? `Did you mean ${meant}?` : `Options: ${known.join(', ')}.`;
  return `${call} has no option ${inWords(name)}. ${help}`;
}
