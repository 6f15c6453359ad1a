/** Maps with at most `limit` promises under way; the first rejection rejects the whole. Keeps the order. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  // One iterator for all: each takes the next item when it is done with its own.
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [i, item] of waiting) results[i] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
