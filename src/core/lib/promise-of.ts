/**
 * What a handler has returned, where it is to be waited for; undefined where it is not. Promises of other makes
 * count too: a query builder's query runs only when it is awaited.
 */
export function promiseOf(result: unknown): Promise<unknown> | undefined {
  if (result === undefined) return undefined;
  if (result instanceof Promise) return result;
  return typeof (result as PromiseLike<unknown> | null)?.then === 'function'
    ? Promise.resolve(result)
    : undefined;
}
