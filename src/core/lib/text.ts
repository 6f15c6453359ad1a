/** Text on a terminal: escaping, width and wrapping. */

/**
 * The text on one line, safe for a terminal. Control characters, line separators and characters that change the writing direction become
 * escapes (`\u001b`). All text from outside passes through this function before it reaches a terminal. Escaped JSON keeps its meaning.
 */
export function escapeControl(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for control characters
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A sentence without its full stop, so that more text can follow. An ellipsis is kept. */
export const withoutStop = (text: string): string => text.replace(/(?<!\.)\.$/, '');

/** A word that needs no quotes in a shell. */
export const PLAIN_WORD = /^[\w.:/,-]+$/;

/** A value as one word of a shell command. Quoted if a shell would interpret it. */
export const shellWord = (value: string): string =>
  PLAIN_WORD.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;

/** A value as JSON on one line, safe on a terminal. */
export const toJson = (value: unknown): string => escapeControl(JSON.stringify(value));

const WIDE =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const WIDTHLESS = /[\p{Mn}\p{Me}\p{Cf}]/u;

const charWidth = (char: string): number => {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  return WIDTHLESS.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII, the usual case
const ASCII = /^[\u0000-\u007f]*$/;

/** The number of columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** The text cut to at most `width` columns, with an ellipsis if cut. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  let cut = '';
  let used = 0;
  for (const char of text) {
    used += textWidth(char);
    if (used > width - 1) break;
    cut += char;
  }
  return `${cut}…`;
}

/** The text cut in the middle to at most `width` columns. Both ends of a name tell it apart from others. */
export function shortenName(name: string, width: number): string {
  if (textWidth(name) <= width) return name;
  const chars = [...name];
  let tail = '';
  for (let i = chars.length - 1; textWidth(`${chars[i]}${tail}`) <= Math.floor((width - 1) / 2); i--)
    tail = `${chars[i]}${tail}`;
  return truncate(name, width - textWidth(tail)) + tail;
}

/** The text padded with spaces to `width` columns. The spaces come first if `align` is `right`. Never cuts. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** The text in lines of at most `width` columns, broken between words if possible. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (textWidth(joined) <= width) {
      current = joined;
      continue;
    }
    if (current !== '') lines.push(current);
    current = '';
    for (const char of word) {
      if (textWidth(current + char) > width) {
        lines.push(current);
        current = '';
      }
      current += char;
    }
  }
  return [...lines, current];
}
