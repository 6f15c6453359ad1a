/** The URL without the user, password or token that it may carry: fit for messages. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//').replace(/^[^/@]*@/, '');
}

/** Several URLs separated by commas, each without its secrets. */
export function redactUrls(urls: string): string {
  return urls
    .split(',')
    .map((url) => redactUrl(url.trim()))
    .join(', ');
}

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
