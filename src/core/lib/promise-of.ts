/** True for anything that can be awaited: promises of this or another realm, and promises of libraries. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';

/**
 * The promise that a handler returned; undefined if there is nothing to wait for. Any thenable counts as a promise. Some query builders run
 * a query only when it is awaited.
 */
export function promiseOf(result: unknown): Promise<unknown> | undefined {
  if (result === undefined) return undefined;
  if (result instanceof Promise) return result;
  return isThenable(result) ? Promise.resolve(result) : undefined;
}

/**
 * Calls a function of the user's program. The function may throw, and may be async even if its type is not. Errors of
 * the function are passed to `failed`.
 */
export function callSheltered(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    promiseOf(call())?.catch(failed);
  } catch (error) {
    failed(error);
  }
}
