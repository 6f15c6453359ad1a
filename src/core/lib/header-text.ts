const ELLIPSIS = '...';

/**
 * Turns text into a header value: one line without control characters. The value is UTF-8, as all values of headers. No character is cut
 * in half.
 *
 * @param maxBytes a longer value is cut.
 */
export function headerText(text: string, maxBytes: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  const bytes = Buffer.from(line);
  if (bytes.length <= maxBytes) return line;
  let end = maxBytes - ELLIPSIS.length;
  while (isContinuation(bytes[end])) end--;
  return bytes.toString('utf8', 0, end) + ELLIPSIS;
}

/** True for a byte that continues a character. */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
