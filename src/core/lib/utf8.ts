// A byte order mark is part of the payload.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The payload as text, or undefined if it is not UTF-8. */
export function textOf(data: Uint8Array): string | undefined {
  try {
    return utf8.decode(data);
  } catch {
    return undefined;
  }
}

/** The start of a payload as text: at most this number of bytes, ending with a complete character. */
export function startOfText(data: Uint8Array, bytes: number): string | undefined {
  const end = Math.min(bytes, data.length);
  for (let cut = 0; cut < Math.min(4, end + 1); cut++) {
    const text = textOf(data.subarray(0, end - cut));
    if (text !== undefined || end === data.length) return text;
  }
  return undefined;
}
