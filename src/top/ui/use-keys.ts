import { type Key, useInput } from 'ink';

/** Ink's names of keys, mapped to those of the key table. */
const NAMED: readonly (readonly [keyof Key, string])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  // Most terminals send Delete for the Backspace key.
  ['delete', 'backspace'],
];

function nameOf(input: string, key: Key): string {
  if (key.tab) return key.shift ? 'shift-tab' : 'tab';
  const named = NAMED.find(([flag]) => key[flag]);
  if (named) return named[1];
  if (key.ctrl) return `ctrl-${input}`;
  return input === ' ' ? 'space' : input;
}

/** Calls `press` for every key, with its name in the key table, for example `a`, `up` or `ctrl-c`. */
export function useKeys(press: (key: string) => void): void {
  useInput((input, key) => press(nameOf(input, key)));
}
