import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cli, startCli } from '../support/cli.js';
import { Tmux } from './tmux.js';

/** The program as it is installed. */
export const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** A change has to be on the screen within this time, on a machine that is not busy with other things. */
const PROMPT_MS = 1_000;
/** And on any machine. */
const PATIENT_MS = 15_000;
/** Above this load for a minute the processes of a test wait for each other. */
const BUSY_LOAD = 1.5;

/** A consumer that prints nothing but its status. `host`: it believes to run on that machine. */
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
  /** How long changes took to be seen, milliseconds. */
  readonly delays = new Map<string, number>();

  private constructor(tmux: Tmux, pidFile: string) {
    this.tmux = tmux;
    this.#pidFile = pidFile;
  }

  /** Opens a terminal; its shell has `env`. The pid of `top` is kept in a file in `folder`. */
  static async open(
    size: { columns: number; rows: number },
    folder: string,
    env: Record<string, string>,
  ): Promise<TopTerminal> {
    return new TopTerminal(await Tmux.open(size, env), join(folder, 'pid'));
  }

  /** Runs top, between two words that show what it leaves of the terminal. */
  async top(flags = ''): Promise<void> {
    await this.tmux.type(
      `clear; echo BEFORE; sh -c 'echo $$ > ${this.#pidFile}; exec ${process.execPath} ${ENTRY} top ${flags}'; echo AFTER=$?\n`,
    );
  }

  /** The process of the last {@link top}. */
  get pid(): number {
    return Number(readFileSync(this.#pidFile, 'utf8'));
  }

  /** The terminal is as it was: main screen, cursor, echo, no leftovers. Resolves with what it shows. */
  async assertClean(exit: number): Promise<string> {
    const { tmux } = this;
    const screen = await tmux.shows(new RegExp(`AFTER=${exit}`));
    assert.match(screen, /BEFORE/);
    assert.doesNotMatch(screen, /Partitions|Consumers/);
    assert.equal(await tmux.variable('alternate_on'), '0');
    assert.equal(await tmux.variable('cursor_flag'), '1');
    await tmux.type('stty -a | tr " " "\\n" | grep -x echo | sed s/echo/ECHO-ON/\n');
    await tmux.shows(/^ECHO-ON/m);
    return screen;
  }

  /** Waits until the screen shows what has just happened, and keeps how long that took. */
  async follows(what: string, happened: Promise<unknown>, pattern: RegExp): Promise<string> {
    await happened;
    const from = performance.now();
    const screen = await this.tmux.shows(pattern, PATIENT_MS);
    this.delays.set(what, Math.round(performance.now() - from));
    return screen;
  }

  /** Says how long the changes took to be seen; on a machine that is not busy, each has to be within a second. */
  reportDelays(): void {
    const said = [...this.delays].map(([what, ms]) => `${what} ${ms} ms`);
    const [load = 0] = loadavg();
    process.stderr.write(`      on screen after: ${said.join(', ')} (load ${load.toFixed(1)})\n`);
    if (load > BUSY_LOAD) return;
    for (const [what, ms] of this.delays) assert.ok(ms <= PROMPT_MS, `${what} was seen after ${ms} ms`);
  }

  async close(): Promise<void> {
    await this.tmux.close();
  }
}
