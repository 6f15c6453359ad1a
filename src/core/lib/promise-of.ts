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
