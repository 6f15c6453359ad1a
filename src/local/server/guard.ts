import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { signalChild } from '../child.js';

/**
 * Waits until its standard input ends, which the kernel sees to whatever way the parent dies, SIGKILL
 * included. Then it stops the server ($1), at last by force, and removes the temporary folder ($2).
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

/** Ends what it guards in a process that is about to exit: synchronous, as an 'exit' listener must be. */
type LastAct = () => void;

const lastActs = new Set<LastAct>();

// One listener however many servers run: Node warns of a leak at eleven.
function performLastActs(): void {
  for (const act of lastActs) act();
}

function watch(pid: number, folder: string): ChildProcess | null {
  // Windows has no such shell. There the 'exit' listener below is all: a parent that is killed by force
  // leaves its server running.
  if (process.platform === 'win32') return null;
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'natspoc-guard', String(pid), folder], {
    // A process group of its own: Ctrl-C in the terminal is for the parent to act upon.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the server runs as well: the 'exit' listener remains.
  guard.on('error', () => {});
  guard.stdin?.on('error', () => {});
  guard.unref();
  return guard;
}

/**
 * Makes sure that a server process does not outlive this one, nor leave its temporary folder behind:
 * however this process ends (return, process.exit, uncaught error, signal, SIGKILL), the server is stopped
 * and the folder removed. After SIGKILL a small shell process does that, within a moment.
 *
 * @param server the running child process
 * @param folder the temporary folder, removed with everything in it
 * @param graceful whether the server's data outlives it: then it is asked to stop, otherwise killed
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
    // Before its input ends: after that the server's process id may belong to another process.
    if (watcher) signalChild(watcher, 'SIGKILL');
  };
}
