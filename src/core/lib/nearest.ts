/** The maximum distance between a typo and the intended word. */
const FURTHEST = 2;

/** The known name that was probably meant; undefined if no known name is similar. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const text = written.toLowerCase();
  const longer = known.find((name) => text.length > 1 && name.toLowerCase().startsWith(text));
  if (longer !== undefined) return longer;
  const [best] = known
    .map((name) => ({ name, distance: distance(text, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= FURTHEST ? best.name : undefined;
}

/** The Levenshtein distance between two texts. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
