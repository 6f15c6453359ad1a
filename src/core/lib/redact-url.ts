/** The URL without the user, password or token that it may carry: fit for messages. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/^[^/@]*@/, '');
}

/**
 * What was given as URLs separated by commas, without their secrets, also where it is none: a password may hold a slash,
 * a comma or an at sign that should have been escaped. Rather too much is left out than too little.
 */
export function redactUrls(urls: string): string {
  return urls
    .split(/,(?=\s*\w+:\/\/)/)
    .map((url) => url.trim().replace(/^(\w+:\/\/)?.*@/s, '$1'))
    .join(', ');
}

/** True for what is a secret itself, where the name of a file with one was asked for: a seed, a JWT, a PEM block. */
export const isSecret = (text: string): boolean =>
  /\bS[A-Z]?[A-Z2-7]{50,}\b|\beyJ[\w-]{20,}|-----\s*BEGIN/.test(text);

/** The user and password, or token, that a URL carries, decoded; undefined: none. */
export function credentialsOf(url: string): { user: string; password: string | undefined } | undefined {
  const [, user, password] = /^(?:\w+:\/\/)?([^:@/]+)(?::([^@/]*))?@/.exec(url) ?? [];
  if (user === undefined) return undefined;
  return { user: decode(user), password: password === undefined ? undefined : decode(password) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign: meant as it stands.
    return text;
  }
}
