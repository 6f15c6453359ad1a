/**
 * Key presses from the bytes of a terminal in raw mode. Ink's own reading takes fast keys for one and has been
 * crashed by unusual ones; this knows the few keys that the screen has and passes over the rest.
 */

const ESC = '\u001b';

/** Final characters and numbers of the sequences `ESC [ … X`, `ESC O X` and `ESC [ n ~`. */
const FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
};
const TILDES: Readonly<Record<string, string>> = {
  1: 'home',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
};
const NAMED: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  ' ': 'space',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const SEQUENCE = /^\u001b(?:\[([0-9;<=>?]*)([ -/]*)([@-~])|O([A-Za-z])|\[\[([A-E]))/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const BEGINNING = /^\u001b(?:\[[0-9;<=>? -/]*|O|\[\[)?$/;

/** What was read: key names in order, and the beginning of a sequence whose rest has not come yet. */
export interface Keys {
  keys: string[];
  rest: string;
}

function control(char: string): string {
  const code = char.charCodeAt(0);
  return code >= 1 && code <= 26 ? `ctrl-${String.fromCharCode(code + 96)}` : '';
}

/** Reads all keys in `text`. A key is a character or a name such as `up`, `enter`, `ctrl-c`. */
export function readKeys(text: string): Keys {
  const keys: string[] = [];
  let rest = text;
  while (rest !== '') {
    if (rest.startsWith(ESC)) {
      if (BEGINNING.test(rest)) break;
      const found = SEQUENCE.exec(rest);
      if (found) {
        const [all, numbers = '', , final = '', single = ''] = found;
        const name = final === '~' ? TILDES[numbers.split(';')[0] ?? ''] : FINALS[final || single];
        if (name !== undefined) keys.push(name);
        rest = rest.slice(all.length);
      } else {
        // Alt with a key, which means nothing here, or Escape and a second Escape.
        if (rest[1] === ESC) keys.push('escape');
        rest = rest.slice(rest[1] === ESC ? 1 : 1 + [...rest.slice(1)].slice(0, 1).join('').length);
      }
      continue;
    }
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    rest = rest.slice(char.length);
    const key = NAMED[char] ?? (char < ' ' ? control(char) : char);
    if (key !== '') keys.push(key);
  }
  return { keys, rest };
}
