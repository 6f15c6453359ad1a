import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
let sessions = 0;

/** A shell in a real terminal emulator. A test presses keys and reads the screen. */
export class Tmux {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Opens a terminal of this size. Its shell has `env` in addition to PATH and HOME. */
  static async open(size: { columns: number; rows: number }, env: Record<string, string>): Promise<Tmux> {
    const tmux = new Tmux(`natspoc-test-${process.pid}-${++sessions}`);
    const { PATH = '', HOME = '' } = process.env;
    const all = Object.entries({ PATH, HOME, PS1: '$ ', ENV: '', TERM: 'tmux-256color', ...env });
    await tmux.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', `${size.columns}`, '-y', `${size.rows}`],
      ...['env', '-i', ...all.map(([name, value]) => `${name}=${value}`), 'sh'],
    );
    await tmux.shows(/\$/);
    return tmux;
  }

  async screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  /** Presses keys by their names in tmux, for example `Enter`, `Tab` or `Up`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  async resize(size: { columns: number; rows: number }): Promise<void> {
    await this.#tmux('resize-window', '-x', `${size.columns}`, '-y', `${size.rows}`);
  }

  /** A format variable of tmux, for example `alternate_on`. */
  async variable(name: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', `#{${name}}`)).trim();
  }

  /** Resolves with the screen's text once it matches. After the timeout, rejects with the text at that time. */
  async shows(pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (performance.now() > deadline) {
        throw new Error(
          `timed out after ${timeoutMs} ms: still waiting for ${pattern} on this screen:\n${screen}`,
        );
      }
      await sleep(50);
    }
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {
      // The shell and tmux's server have already exited.
    });
  }

  async #tmux(...args: string[]): Promise<string> {
    try {
      return (await run('tmux', ['-L', this.#socket, ...args])).stdout;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        throw new Error('these tests need tmux: apt-get install tmux', { cause: error });
      }
      throw error;
    }
  }
}
