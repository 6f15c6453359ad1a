/** The characters that stand for texts: of the private use area, which no text of the screen itself uses. */
const FIRST = 0xe000;
const CAPACITY = 0xf8ff - FIRST + 1;
const PLACE = /([\ue000-\uf8ff])( *)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const COLORS = /\u001b\[(?:3[0-79]|9[0-7])m/g;

/**
 * The texts of a frame's lines while Ink lays the frame out. Ink would measure and keep every text for as long as the
 * process lives, and take each character of it apart in each frame. So it gets one character for a text, and the text
 * takes its place when the frame is laid out.
 */
export class LineTexts {
  readonly #colors: boolean;
  #texts: { text: string; columns: number }[] = [];

  /** `colors`: false leaves colours out of everything that is drawn; bold, dim and inverse are none. */
  constructor({ colors }: { colors: boolean }) {
    this.#colors = colors;
  }

  /** Keeps a text that is `columns` wide until the frame is laid out, and returns what stands for it. */
  keep(text: string, columns: number): string {
    const index = this.#texts.push({ text, columns }) - 1;
    return index < CAPACITY ? String.fromCharCode(FIRST + index) : '';
  }

  /** The rows of a frame with the texts at their places. */
  fill(frame: string): string[] {
    const filled = frame.replace(PLACE, (_, place: string, blanks: string) => {
      const { text, columns } = this.#texts[place.charCodeAt(0) - FIRST] ?? { text: '', columns: 0 };
      return text + ' '.repeat(Math.max(0, 1 + blanks.length - columns));
    });
    this.#texts = [];
    return (this.#colors ? filled : filled.replace(COLORS, '')).split('\n');
  }
}
