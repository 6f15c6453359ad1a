/**
 * Maps items with at most `limit` promises in flight, and keeps their order. After a rejection, no further item is started,
 * and the result rejects with the first error once all promises in flight have settled.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let failure: { error: unknown } | undefined;
  // All workers share one iterator: a worker that has finished an item takes the next item.
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [i, item] of waiting) {
      if (failure) return;
      try {
        results[i] = await map(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failure) throw failure.error;
  return results;
}
