/** The URL without user, password or token, for messages. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/^[^/@]*@/, '');
}

/**
 * URLs separated by commas, without their secrets. Also handles a password with an unescaped slash, comma or at sign. If in doubt, removes
 * too much.
 */
export function redactUrls(urls: string): string {
  return urls
    .split(/,(?=\s*\w+:\/\/)/)
    .map((url) => url.trim().replace(/^(\w+:\/\/)?.*@/s, '$1'))
    .join(', ');
}

/** True for a secret itself (a seed, a JWT, a PEM block), not for the name of a file that contains one. */
export const isSecret = (text: string): boolean =>
  /\bS[A-Z]?[A-Z2-7]{50,}\b|\beyJ[\w-]{20,}|-----\s*BEGIN/.test(text);

/** The decoded user and password of a URL, or its token as `user`; undefined if it has none. */
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
