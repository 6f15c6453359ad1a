/**
 * Maps items with at most `limit` promises in flight, and keeps their order. After a rejection, no further item is started. Once all
 * promises in flight have settled, the result rejects with the first error.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let failure: { error: unknown } | undefined;
  // All workers share this iterator.
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
