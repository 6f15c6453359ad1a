import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { signalChild } from '../child.js';

/**
 * The script waits until its standard input ends. This happens when the parent dies, even by SIGKILL. Then the script stops the server
 * ($1), by force if necessary, and removes the temporary folder ($2).
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

/** Ends the guarded server when this process exits. An 'exit' listener must be synchronous. */
type LastAct = () => void;

const lastActs = new Set<LastAct>();

// Node warns of a leak at eleven listeners, so all servers share one.
function performLastActs(): void {
  for (const act of lastActs) act();
}

function watch(pid: number, folder: string): ChildProcess | null {
  // Windows has no /bin/sh. If the parent is killed there, the server keeps running.
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
 * Stops the server and removes its temporary folder when this process ends in any way. After SIGKILL, a small shell process does this.
 *
 * @param server the running child process
 * @param folder the temporary folder
 * @param graceful true if the server's data is kept. The server is then asked to stop instead of killed
 * @returns a function that ends the guard. Call it when the server has exited
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
    // Kill the guard before its input ends. The server's process id may soon belong to another process.
    if (watcher) signalChild(watcher, 'SIGKILL');
  };
}
