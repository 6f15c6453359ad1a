import { tokensOf } from '../../protocol/message-key.js';

/** True if the token is the same in all subjects that match the pattern. */
const isLiteral = (token: string | undefined): token is string =>
  token !== undefined && token !== '*' && token !== '>';

/** The token with this number (from 1), if it is the same in all subjects that match all patterns. */
function fixedToken(patterns: readonly string[], number: number): string | undefined {
  return patterns.map((pattern) => pattern.split('.')[number - 1]).find(isLiteral);
}

/** A key that is the same in every message, and a key that differs. */
export interface ConstantKey {
  value: string;
  /** The first token that varies, such as `subject:3`; undefined if no token varies. */
  better: string | undefined;
}

/**
 * Returns the value of a key of subject tokens, if it is known to be the same in every message. One partition would then
 * handle all messages.
 *
 * @param subjects patterns that match all stored subjects, restricted to those that collide with the filter; empty if
 *   unknown.
 */
export function constantKey(
  key: string,
  filter: string,
  subjects: readonly string[],
): ConstantKey | undefined {
  const numbers = tokensOf(key);
  if (numbers.length === 0) return undefined;
  const patterns = (subjects.length > 0 ? subjects : ['>']).map((subject) => [subject, filter]);
  const values = new Set<string>();
  for (const pattern of patterns) {
    const tokens = numbers.map((number) => fixedToken(pattern, number));
    if (tokens.includes(undefined)) return undefined;
    values.add(tokens.join('.'));
  }
  const [value, other] = values;
  if (value === undefined || other !== undefined) return undefined;
  const [pattern = []] = patterns;
  const longest = Math.max(...pattern.map((each) => each.split('.').length));
  const varying = Array.from({ length: longest }, (_, i) => i + 1).find(
    (n) => fixedToken(pattern, n) === undefined,
  );
  return { value, better: varying === undefined ? undefined : `subject:${varying}` };
}
