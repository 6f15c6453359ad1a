import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { signalChild } from '../child.js';

/**
 * The script waits until its standard input ends, which happens whenever the parent dies, even by SIGKILL. At the end of its input the
 * script stops the server ($1), by force if necessary, and removes the temporary folder ($2).
 */
const GUARD_SCRIPT = `
read -r _
kill -TERM "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -KILL "$1" 2>/dev/null
rm -rf -- "$2"
`;

/** Ends the guarded server when this process exits. The function is synchronous, because an 'exit' listener must not wait. */
type LastAct = () => void;

const lastActs = new Set<LastAct>();

// One listener serves all servers, because Node warns of a leak at eleven listeners.
function performLastActs(): void {
  for (const act of lastActs) act();
}

function watch(pid: number, folder: string): ChildProcess | null {
  // Windows has no /bin/sh, so only the 'exit' listener stops the server. If the parent is killed on Windows, the server keeps running.
  if (process.platform === 'win32') return null;
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'natspoc-guard', String(pid), folder], {
    // A separate process group: the parent handles Ctrl-C in the terminal.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard, the 'exit' listener still stops the server.
  guard.on('error', () => {});
  guard.stdin?.on('error', () => {});
  guard.unref();
  return guard;
}

/**
 * Ensures that a server process neither outlives this process nor leaves its temporary folder behind. However this process ends
 * (return, process.exit, uncaught error, signal, SIGKILL), the server is stopped and the folder removed. If this process is
 * killed with SIGKILL, a small shell process stops the server and removes the folder.
 *
 * @param server the running child process
 * @param folder the temporary folder, removed with everything in it
 * @param graceful true if the server's data is kept: the server is then asked to stop instead of killed
 * @returns a function that ends the guard, to be called when the server has exited
 */
export function guard(server: ChildProcess, folder: string, graceful: boolean): () => void {
  const { pid } = server;
  const watcher = pid === undefined ? null : watch(pid, folder);
  const lastAct: LastAct = () => {
    signalChild(server, graceful ? 'SIGTERM' : 'SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  if (lastActs.size === 0) process.on('exit', performLastActs);
  lastActs.add(lastAct);
  return () => {
    lastActs.delete(lastAct);
    if (lastActs.size === 0) process.off('exit', performLastActs);
    // Kill the guard before its input ends, because the server's process id may soon belong to another process.
    if (watcher) signalChild(watcher, 'SIGKILL');
  };
}
