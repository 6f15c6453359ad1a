import type { Config } from '../core/config/config.js';
import { NatspocError } from '../core/lib/errors.js';
import { escapeControl } from '../core/lib/text.js';
import { nameSome } from '../core/nats/stream/missing-store.js';
import type { FoundLetter } from '../core/protocol/dead-letter.js';
import { Args } from './oclif.js';
import type { StreamSession } from './stream-command.js';

/** The argument of commands that take dead letters. */
export const letterArgs = {
  letter: Args.string({
    description: 'numbers of dead letters, as "stream dead" lists them',
    name: 'LETTER...',
  }),
};

/**
 * The numbers of the dead letters that the user named; undefined if the user named none.
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
        `${JSON.stringify(text)} is not the number of a dead letter; "stream dead" lists the numbers.`,
      );
    }),
  );
}

/** The group that --group names, to select its dead letters; undefined: all groups. */
export const groupOf = ({ given, group }: Config): string | undefined =>
  given.has('group') ? group : undefined;

/**
 * The dead letters of --group, or of all groups, oldest first.
 *
 * @param others receives the groups of the letters that are left out because --group names another group.
 */
export async function* lettersOf(
  { config, stream }: StreamSession,
  others: Set<string> = new Set(),
): AsyncGenerator<FoundLetter> {
  const group = groupOf(config);
  for await (const letter of stream.deadLetters()) {
    if (group !== undefined && letter.group !== group) others.add(letter.group);
    else yield letter;
  }
}

/**
 * The dead letters with these numbers, oldest first.
 *
 * @throws NatspocError `failed` if one of them does not exist.
 */
export async function namedLetters(
  session: StreamSession,
  numbers: ReadonlySet<number>,
): Promise<FoundLetter[]> {
  const found: FoundLetter[] = [];
  const missing = new Set(numbers);
  for await (const letter of lettersOf(session)) if (missing.delete(letter.sequence)) found.push(letter);
  if (missing.size > 0) throw missingLetters(session, [...missing]);
  return found;
}

/** The message for an empty list of dead letters. It names other groups that have dead letters. */
export function noLetters({ config }: StreamSession, others: ReadonlySet<string>): string {
  const group = groupOf(config);
  const none = group === undefined ? 'no dead letters' : `no dead letters of group ${group}`;
  if (others.size === 0) return none;
  const named = nameSome([...others].sort().map(escapeControl));
  return `${none}; ${others.size === 1 ? `group ${named} has` : `groups ${named} have`} some`;
}

/** The error for requested dead letters that do not exist. */
export function missingLetters({ config }: StreamSession, missing: readonly number[]): NatspocError {
  const group = groupOf(config);
  const of = group === undefined ? '' : ` of group ${group}`;
  const message = `There is no dead letter ${missing.join(', ')}${of}. "natspoc stream dead" lists them.`;
  return new NatspocError('failed', message);
}
