/** The row to which a key moves the cursor of a list; undefined if it does not move the cursor. */
export function stepIn(key: string, { at, length, page }: { at: number; length: number; page: number }) {
  const last = Math.max(0, length - 1);
  const to: Record<string, number> = {
    ...{ down: at + 1, j: at + 1, up: at - 1, k: at - 1 },
    ...{ pagedown: at + page, 'ctrl-f': at + page, pageup: at - page, 'ctrl-b': at - page },
    ...{ end: last, G: last, home: 0, g: 0 },
  };
  const row = to[key];
  return row === undefined ? undefined : Math.max(0, Math.min(last, row));
}

/** True for a key that closes a list. */
export const closes = (key: string): boolean => ['escape', 'q', 'ctrl-c', 'backspace'].includes(key);
