import assert from 'node:assert/strict';

/** Sequences that set a title or a color or clear the screen, text from right to left, and characters that break or erase lines. */
export const BYTES = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\u2066\u061c\u2028\u0085\r\n\u0008\u007f';

/** The hostile text between two letters. */
export const HOSTILE = `x${BYTES}y`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the tests look for them
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/;

/** Fails if the output could move the cursor or change the direction of writing. */
export function assertSafe(what: string, output: string): void {
  const found = RAW.exec(output);
  const around = found ? JSON.stringify(output.slice(Math.max(0, found.index - 60), found.index + 30)) : '';
  assert.equal(found, null, `${what}: ${around}`);
}
