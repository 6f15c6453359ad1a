import type { Feed } from './feed.js';
import type { Screen, ScreenOptions } from './top.js';

/** How to show a group here: drawn where somebody looks at it, as lines where somebody listens, otherwise once. */
export function display(): 'screen' | 'lines' | 'once' {
  const { TERM, CI, INK_SCREEN_READER } = process.env;
  if (!process.stdin.isTTY || !process.stdout.isTTY || (CI ?? 'false') !== 'false') return 'once';
  if (INK_SCREEN_READER === 'true') return 'lines';
  return TERM === 'dumb' ? 'once' : 'screen';
}

/**
 * Draws on this process's terminal until somebody quits, or `stop` aborts; the terminal is given back whatever happens.
 *
 * @param crash ends the process with an error that nothing has caught; the terminal is given back before.
 */
export async function openScreen(
  feed: Feed,
  options: Pick<ScreenOptions, 'intervalMs' | 'readonly' | 'env'>,
  { stop, crash }: { stop: AbortSignal; crash: (error: unknown) => never },
): Promise<Screen> {
  // Only now: most runs of this program draw nothing.
  const [top, { Terminal }] = await Promise.all([import('./top.js'), import('./term/terminal.js')]);
  const terminal = new Terminal(process.stdin, process.stdout);
  const screen = new top.Screen({ ...options, feed, terminal, colors: !process.env.NO_COLOR });
  const crashed = (error: unknown) => {
    terminal.close();
    crash(error);
  };
  process.once('uncaughtException', crashed);
  process.once('unhandledRejection', crashed);
  // Not once: Ink's own listener ends the process where it finds itself alone, before a recording is written.
  process.on('SIGHUP', () => screen.close());
  stop.addEventListener('abort', () => screen.close());
  screen.open();
  return screen;
}
