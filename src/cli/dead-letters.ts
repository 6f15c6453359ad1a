import { NatspocError } from '../core/lib/errors.js';
import type { FoundLetter } from '../core/protocol/dead-letter.js';
import { Args } from './oclif.js';
import type { StreamSession } from './stream-command.js';

/** The argument of commands for some of the dead letters. */
export const letterArgs = {
  letter: Args.string({ description: 'dead letters, by their number in the list', name: 'LETTER...' }),
};

/**
 * The dead letters that a user names; undefined: none.
 *
 * @throws NatspocError `usage`
 */
export function parseLetters(texts: readonly unknown[]): ReadonlySet<number> | undefined {
  if (texts.length === 0) return undefined;
  return new Set(
    texts.map((text) => {
      if (typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text)) return Number(text);
      throw new NatspocError(
        'usage',
        `${JSON.stringify(text)} is not a dead letter: give its number, as in "stream dead".`,
      );
    }),
  );
}

/** The selected dead letters, oldest first: only letters of the group, and only the named letters, if these are given. */
export async function* lettersOf(
  { config, stream }: StreamSession,
  only: ReadonlySet<number> | undefined,
): AsyncGenerator<FoundLetter> {
  const group = config.given.has('group') ? config.group : undefined;
  for await (const letter of stream.deadLetters()) {
    if (group !== undefined && letter.group !== group) continue;
    if (only?.has(letter.sequence) !== false) yield letter;
  }
}

/** @throws NatspocError `failed` if requested dead letters do not exist. */
export function refuseMissing(missing: ReadonlySet<number>): void {
  if (missing.size === 0) return;
  const which = [...missing].join(', ');
  throw new NatspocError('failed', `There is no dead letter ${which}. "natspoc stream dead" lists them.`);
}
