import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cli, startCli } from '../support/cli.js';
import { Tmux } from './tmux.js';

export const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** A member process that prints only its status. It takes `host` for the name of its host. */
export function startConsumer(
  url: string,
  name: string,
  options: { host?: string; flags?: string[] } = {},
): Cli {
  const { host, flags = [] } = options;
  const pretend = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
    os.hostname = () => ${JSON.stringify(host)}; syncBuiltinESMExports();`;
  const import_ = `--import=data:text/javascript,${encodeURIComponent(pretend)}`;
  return startCli(['consume', '--name', name, '--output', 'none', '--ttl', '2s', ...flags], {
    env: { NATS_URL: url, ...(host !== undefined && { NODE_OPTIONS: import_ }) },
  });
}

/** `natspoc top` in a real terminal emulator. */
export class TopTerminal {
  readonly tmux: Tmux;
  readonly #pidFile: string;

  private constructor(tmux: Tmux, pidFile: string) {
    this.tmux = tmux;
    this.#pidFile = pidFile;
  }

  /** Opens a terminal whose shell has the environment `env`. A file in `folder` holds the pid of `top`. */
  static async open(
    size: { columns: number; rows: number },
    folder: string,
    env: Record<string, string>,
  ): Promise<TopTerminal> {
    return new TopTerminal(await Tmux.open(size, env), join(folder, 'pid'));
  }

  /** Runs top between two printed words. They show the state in which top leaves the terminal. */
  async top(flags = ''): Promise<void> {
    await this.tmux.type(
      `clear; echo BEFORE; sh -c 'echo $$ > ${this.#pidFile}; exec ${process.execPath} ${ENTRY} top ${flags}'; echo AFTER=$?\n`,
    );
  }

  /** The process of the last {@link top}. */
  get pid(): number {
    return Number(readFileSync(this.#pidFile, 'utf8'));
  }

  /** Asserts that the terminal is as before: main screen, cursor, echo, no leftovers. Resolves with its text. */
  async assertClean(exit: number): Promise<string> {
    const { tmux } = this;
    const screen = await tmux.shows(new RegExp(`AFTER=${exit}`));
    assert.match(screen, /BEFORE/);
    assert.doesNotMatch(screen, /Partitions|Members/);
    assert.equal(await tmux.variable('alternate_on'), '0');
    assert.equal(await tmux.variable('cursor_flag'), '1');
    await tmux.type('stty -a | tr " " "\\n" | grep -x echo | sed s/echo/ECHO-ON/\n');
    await tmux.shows(/^ECHO-ON/m);
    return screen;
  }

  async close(): Promise<void> {
    await this.tmux.close();
  }
}
