// Not a .tsx file: there the compiler puts an import of React above this one.
import './production.js';

import { hostname } from 'node:os';
import { render } from 'ink';
import { createElement } from 'react';
import type { Feed } from '../feed.js';
import type { Said } from '../screen/perform.js';
import { initialUi } from '../screen/state.js';
import type { Terminal } from '../term/terminal.js';
import { Root } from './root.js';

/** How a screen is opened. */
export interface ScreenOptions {
  readonly: boolean;
  intervalMs: number;
  /** The environment of members that are started from here. */
  env: NodeJS.ProcessEnv;
}

/** An open screen. */
export interface OpenScreen {
  /** Resolves when the screen is closed. */
  closed: Promise<void>;
  /** Restores the terminal; harmless when that has been done already. */
  close(): void;
  /** Tells what is going on, until there is something else to tell. */
  tell(text: string): void;
}

/** Takes the terminal, draws, and begins to ask. `crash` gets what a component throws. */
export function mount(
  feed: Feed,
  terminal: Pick<Terminal, 'open' | 'close' | 'input' | 'output' | 'texts'>,
  { readonly, intervalMs, env }: ScreenOptions,
  crash: (error: unknown) => void,
): OpenScreen {
  const initial = initialUi({ readonly, intervalMs, host: hostname() });
  const tree = (told?: Said) =>
    createElement(Root, {
      feed,
      initial,
      env,
      told,
      crash,
      texts: terminal.texts,
      quit: () => close(),
      redraw: () => terminal.output.redraw(),
    });
  terminal.open();
  const ink = render(tree(), {
    // Frames come whole, for the frame stream to write what has changed.
    debug: true,
    // Of a terminal's streams Ink uses only what these have.
    stdin: terminal.input as unknown as NodeJS.ReadStream,
    stdout: terminal.output as unknown as NodeJS.WriteStream,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const closed = ink.waitUntilExit().then(() => {});
  function close(): void {
    terminal.close();
    ink.unmount();
  }
  return { closed, close, tell: (text) => ink.rerender(tree({ text, level: 'busy' })) };
}
