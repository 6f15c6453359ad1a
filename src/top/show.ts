import type { Feed } from './feed.js';
import type { OpenScreen, ScreenOptions } from './ui/mount.js';

/** How to show the group: as a screen, as lines for a screen reader, or once. */
export function display(): 'screen' | 'lines' | 'once' {
  const { TERM, CI, INK_SCREEN_READER } = process.env;
  if (!process.stdin.isTTY || !process.stdout.isTTY || (CI ?? 'false') !== 'false') return 'once';
  if (INK_SCREEN_READER === 'true') return 'lines';
  return TERM === 'dumb' ? 'once' : 'screen';
}

/** Closes a view when `stop` aborts, or at once if it has already aborted: a signal can arrive before there is a view. */
export function closeAtStop(view: { close(): void }, stop: AbortSignal): void {
  if (stop.aborted) view.close();
  else stop.addEventListener('abort', () => view.close(), { once: true });
}

/**
 * Draws on the terminal until the user closes the screen or `stop` aborts. The terminal is always restored.
 *
 * @param crash ends the process with an uncaught error. The terminal is restored first.
 */
export async function openScreen(
  feed: Feed,
  options: ScreenOptions,
  { stop, crash }: { stop: AbortSignal; crash: (error: unknown) => never },
): Promise<OpenScreen> {
  // Most commands draw nothing, so the modules are loaded only here. `production.js` comes first, because React reads NODE_ENV when it is
  // loaded.
  await import('./ui/production.js');
  const [{ mount }, { Terminal }] = await Promise.all([
    import('./ui/mount.js'),
    import('./term/terminal.js'),
  ]);
  const terminal = new Terminal(process.stdin, process.stdout, { colors: !process.env.NO_COLOR });
  const crashed = (error: unknown) => {
    terminal.close();
    crash(error);
  };
  process.once('uncaughtException', crashed);
  process.once('unhandledRejection', crashed);
  const screen = mount(feed, terminal, options, crashed);
  // `on`, not `once`: otherwise Ink's own listener would end the process before a recording is written.
  process.on('SIGHUP', screen.close);
  closeAtStop(screen, stop);
  return screen;
}
