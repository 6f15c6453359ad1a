/** Maximum size of a configured subject or filter, in bytes. It becomes part of subjects, reply subjects and requests. */
export const MAX_CONFIGURED_BYTES = 1_024;

/**
 * Maximum size of a message's subject, in bytes. If a command line is longer than `max_control_line` (default 4,096 bytes), the server
 * closes the connection. The line also contains a reply subject, which starts with a configured prefix, and two sizes.
 */
export const MAX_SUBJECT_BYTES = 3_000;

/** True for text of at most this many bytes in UTF-8. */
export const fitsIn = (bytes: number, text: string): boolean =>
  text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;

/** Why a message cannot be sent to a subject that is longer than {@link MAX_SUBJECT_BYTES}. */
export const longSubject = (subject: string): string =>
  `The subject has ${Buffer.byteLength(subject)} bytes, and at most ${MAX_SUBJECT_BYTES} are possible`;

/** Returns a function that checks whether a subject matches a pattern (`*`, `>`). The check allocates no memory. */
export function subjectMatcher(pattern: string): (subject: string) => boolean {
  const tokens = pattern.split('.');
  const isOpen = tokens.at(-1) === '>';
  if (isOpen) tokens.pop();
  return (subject) => {
    let at = 0;
    for (const token of tokens) {
      if (at > subject.length) return false;
      const end = tokenEnd(subject, at);
      if (token === '*' ? end === at : end - at !== token.length || !subject.startsWith(token, at))
        return false;
      at = end + 1;
    }
    return isOpen ? at < subject.length : at === subject.length + 1;
  };
}

function tokenEnd(subject: string, from: number): number {
  const dot = subject.indexOf('.', from);
  return dot < 0 ? subject.length : dot;
}

/** The token with this number, counted from 1; undefined if the subject has fewer tokens. */
export function subjectToken(subject: string, number: number): string | undefined {
  let at = 0;
  for (let i = 1; i < number; i++) {
    const dot = subject.indexOf('.', at);
    if (dot < 0) return undefined;
    at = dot + 1;
  }
  return subject.slice(at, tokenEnd(subject, at));
}

/** The tokens before the first wildcard of a pattern, without a final dot. */
export function literalStart(pattern: string): string {
  const tokens = pattern.split('.');
  const wild = tokens.findIndex((token) => token === '*' || token === '>');
  return (wild < 0 ? tokens : tokens.slice(0, wild)).join('.');
}
