/** Placeholders from Unicode's private use area. No text on the screen contains them. */
const FIRST = 0xe000;
const CAPACITY = 0xf8ff - FIRST + 1;
const PLACE = /([\ue000-\uf8ff])( *)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const COLORS = /\u001b\[(?:3[0-79]|9[0-7])m/g;

/**
 * The texts of a frame's lines while Ink lays out the frame. Ink gets only one placeholder character per text. It would keep the
 * measurements of every real text forever, and split each text into characters in each frame.
 */
export class LineTexts {
  readonly #colors: boolean;
  #texts: { text: string; columns: number }[] = [];

  /** @param colors false removes the colors of texts, but not bold, dim and inverse. */
  constructor({ colors }: { colors: boolean }) {
    this.#colors = colors;
  }

  /** Stores a text that is `columns` wide, and returns its placeholder. */
  keep(text: string, columns: number): string {
    const index = this.#texts.push({ text, columns }) - 1;
    return index < CAPACITY ? String.fromCharCode(FIRST + index) : '';
  }

  /** The rows of a frame, with placeholders replaced by their texts. */
  fill(frame: string): string[] {
    const filled = frame.replace(PLACE, (_, place: string, blanks: string) => {
      const { text, columns } = this.#texts[place.charCodeAt(0) - FIRST] ?? { text: '', columns: 0 };
      return text + ' '.repeat(Math.max(0, 1 + blanks.length - columns));
    });
    this.#texts = [];
    return (this.#colors ? filled : filled.replace(COLORS, '')).split('\n');
  }
}
