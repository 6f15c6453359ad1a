import { hostname } from 'node:os';
import { render } from 'ink';
import { createElement } from 'react';
import type { Selection } from '../../text/complete-hints.js';
import type { Feed } from '../feed.js';
import { hintsOf } from '../screen/hints.js';
import { initialUi, type Said } from '../screen/state.js';
import type { Terminal } from '../term/terminal.js';
import { Root } from './root.js';

/** How a screen is opened. */
export interface ScreenOptions {
  readonly: boolean;
  intervalMs: number;
  /** The environment of members that are started from the screen. */
  env: NodeJS.ProcessEnv;
  /** The selecting flags of this process, for commands in messages. */
  selection: Selection;
}

/** An open screen. */
export interface OpenScreen {
  closed: Promise<void>;
  /** Restores the terminal. Further calls do nothing. */
  close(): void;
  /** Shows a notice until the next notice. */
  tell(text: string): void;
}

/** Takes over the terminal, draws, and starts polling. `crash` receives errors of components. */
export function mount(
  feed: Feed,
  terminal: Pick<Terminal, 'open' | 'close' | 'input' | 'output' | 'texts'>,
  { readonly, intervalMs, env, selection }: ScreenOptions,
  crash: (error: unknown) => void,
): OpenScreen {
  const initial = initialUi({
    readonly,
    intervalMs,
    host: hostname(),
    replays: feed.replay !== undefined,
    hints: hintsOf(feed, selection),
  });
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
    // In debug mode, Ink writes whole frames. The frame stream needs whole frames.
    debug: true,
    // The terminal's streams have all properties that Ink uses.
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
