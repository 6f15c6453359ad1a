/**
 * The first sequence of the newest part of a stream. The part has at most `limit` messages, and more than half of
 * `limit` if the stream has enough messages. The server can only count the messages from a sequence to the end, so this
 * is a binary search.
 *
 * @param count returns the number of messages from a sequence to the end.
 * @param newest the last sequence.
 */
export async function newestPart(
  count: (from: number) => Promise<number>,
  newest: number,
  limit: number,
): Promise<number> {
  if ((await count(1)) <= limit) return 1;
  let [tooMany, fits] = [1, newest];
  while (fits - tooMany > 1) {
    const middle = Math.floor((tooMany + fits) / 2);
    const behind = await count(middle);
    if (behind > limit) tooMany = middle;
    else fits = middle;
    if (behind <= limit && behind > limit / 2) break;
  }
  return fits;
}
