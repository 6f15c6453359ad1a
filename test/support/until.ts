import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `condition` holds. If that takes longer than `timeoutMs`, rejects with an error that names `what`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`timed out after ${timeoutMs} ms: still waiting until ${what}`);
    await sleep(10);
  }
}
