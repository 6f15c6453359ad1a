import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** How to run a system program. */
export interface ToolOptions {
  cwd?: string;
  /** The program is killed after this time, in milliseconds. */
  timeoutMs: number;
}

function lastLine(text: unknown): string {
  return typeof text === 'string' ? (text.trim().split('\n').at(-1) ?? '') : '';
}

/**
 * Runs a system program without a shell and returns its standard output.
 *
 * @throws Error with the program's name and the last line of its standard error.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, args, {
      cwd: options.cwd,
      timeout: options.timeoutMs,
      // The output is parsed, so it must be in English.
      env: { ...process.env, LC_ALL: 'C' },
      windowsHide: true,
    });
    return stdout;
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const complaint = 'stderr' in failure ? lastLine(failure.stderr) : '';
    const killed = 'killed' in failure && failure.killed === true;
    const why = killed ? `did not finish within ${options.timeoutMs / 1000} s` : complaint || failure.message;
    throw new Error(`${program}: ${why}`, { cause: error });
  }
}
