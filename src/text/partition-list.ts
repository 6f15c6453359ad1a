/** Partitions as ranges: `p0-p3 p7`. With more than `most` ranges, only the number of partitions and the first ranges. */
export function partitionList(partitions: readonly number[], most = Number.POSITIVE_INFINITY): string {
  const runs: [number, number][] = [];
  for (const partition of [...partitions].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run[1] === partition - 1) run[1] = partition;
    else runs.push([partition, partition]);
  }
  const parts = runs.map(([from, to]) =>
    from === to ? `p${from}` : to === from + 1 ? `p${from} p${to}` : `p${from}-p${to}`,
  );
  if (parts.length <= most) return parts.join(' ');
  return `${partitions.length} partitions (${parts.slice(0, most).join(' ')} …)`;
}
