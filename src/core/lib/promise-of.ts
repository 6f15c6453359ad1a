/**
 * The promise that a handler returned; undefined if there is nothing to wait for. Any thenable counts: a query
 * builder's query runs only when it is awaited.
 */
export function promiseOf(result: unknown): Promise<unknown> | undefined {
  if (result === undefined) return undefined;
  if (result instanceof Promise) return result;
  return typeof (result as PromiseLike<unknown> | null)?.then === 'function'
    ? Promise.resolve(result)
    : undefined;
}

/** Calls a program's function, which may throw, or be async whatever its type says. Its errors go to `failed`. */
export function callSheltered(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    promiseOf(call())?.catch(failed);
  } catch (error) {
    failed(error);
  }
}
