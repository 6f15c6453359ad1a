import { Readable } from 'node:stream';

const ESC = '\u001b';
/** The Escape key in the kitty protocol. Unlike a bare ESC, it cannot start another sequence. */
const ESCAPE_KEY = `${ESC}[27u`;
/** An ESC is the Escape key if no sequence follows within this time, in milliseconds. */
const ESCAPE_MS = 30;

/** The sequences that are keys: the final characters of `ESC [ … X` and `ESC O X`, and the numbers of `ESC [ n ~`. */
const FINALS = 'ABCDFHZ';
const NUMBERS = '145678';

/** Matches one key: a sequence, Escape, Alt with a key, or a character. */
const KEY =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  /\u001b\[([0-9;<=>?]*)[ -/]*([@-~])(?<!\u001b\[\[)|\u001b\[\[[A-E]|\u001bO([A-Za-z])|\u001b(?=\u001b|$)|\u001b.|./gsu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const BEGINNING = /\u001b(?:\[[0-9;<=>? -/]*|O|\[\[)?$/;

/** The keys in an input, in Ink's form. `rest` is the start of an incomplete sequence. */
export interface Keys {
  keys: string[];
  rest: string;
}

/** Splits terminal input into single keys. Drops unknown sequences and the modifiers of arrow keys. */
export function splitKeys(text: string): Keys {
  const rest = BEGINNING.exec(text)?.[0] ?? '';
  const keys: string[] = [];
  for (const [key, numbers = '', csi = '', ss3 = ''] of text
    .slice(0, text.length - rest.length)
    .matchAll(KEY)) {
    const final = csi || ss3;
    const [number = ''] = numbers.split(';');
    if (final !== '' && FINALS.includes(final)) keys.push(`${ESC}[${final}`);
    else if (final === '~' && number.length === 1 && NUMBERS.includes(number)) keys.push(`${ESC}[${number}~`);
    else if (key === ESC) keys.push(ESCAPE_KEY);
    else if (key === '\n') keys.push('\r');
    // Of the control characters, only Ctrl with a letter is a key.
    else if (!key.startsWith(ESC) && (key >= ' ' || (key > '\u0000' && key <= '\u001a'))) keys.push(key);
  }
  return { keys, rest };
}

/**
 * The terminal's input for Ink: one key per chunk. Ink would take several characters in a chunk for one input. It would take a sequence in
 * pieces for Escape and text. It throws at unknown sequences such as Ctrl+F1.
 */
export class KeyStream extends Readable {
  /** Ink refuses raw mode for a stream without this property. */
  readonly isTTY = true;
  readonly #stdin: NodeJS.ReadStream;
  #rest = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(stdin: NodeJS.ReadStream) {
    super({ objectMode: true });
    this.#stdin = stdin;
  }

  /** Called by Ink when it starts and stops listening for keys. */
  setRawMode(isRaw: boolean): this {
    clearTimeout(this.#timer);
    this.#stdin.setRawMode(isRaw);
    this.#stdin.off('data', this.#take);
    if (isRaw) this.#stdin.setEncoding('utf8').on('data', this.#take).resume();
    else this.#stdin.pause();
    return this;
  }

  /** The keys are already text. */
  override setEncoding(): this {
    return this;
  }

  /** Does nothing: reading and pausing already decide whether the terminal keeps the process alive. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // Keys are pushed when they arrive.
  }

  readonly #take = (chunk: string): void => {
    clearTimeout(this.#timer);
    const { keys, rest } = splitKeys(this.#rest + chunk);
    this.#rest = rest;
    for (const key of keys) this.push(key);
    if (rest === '') return;
    this.#timer = setTimeout(() => {
      if (this.#rest === ESC) this.push(ESCAPE_KEY);
      this.#rest = '';
    }, ESCAPE_MS);
  };
}
