/** The URL without user, password or token, for messages. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/^[^/@]*@/, '');
}

/**
 * URLs separated by commas, without their secrets. Also handles malformed URLs: a password may contain a slash, a comma or
 * an at sign that should have been escaped. In doubtful cases, the function removes too much rather than too little.
 */
export function redactUrls(urls: string): string {
  return urls
    .split(/,(?=\s*\w+:\/\/)/)
    .map((url) => url.trim().replace(/^(\w+:\/\/)?.*@/s, '$1'))
    .join(', ');
}

/** True for a secret (a seed, a JWT, a PEM block); false for the name of a file that contains a secret. */
export const isSecret = (text: string): boolean =>
  /\bS[A-Z]?[A-Z2-7]{50,}\b|\beyJ[\w-]{20,}|-----\s*BEGIN/.test(text);

/** The decoded user and password, or the decoded token, of a URL; undefined if the URL has none. */
export function credentialsOf(url: string): { user: string; password: string | undefined } | undefined {
  const [, user, password] = /^(?:\w+:\/\/)?([^:@/]+)(?::([^@/]*))?@/.exec(url) ?? [];
  if (user === undefined) return undefined;
  return { user: decode(user), password: password === undefined ? undefined : decode(password) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign is taken literally.
    return text;
  }
}
