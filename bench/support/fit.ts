/**
 * The weights that bring `rows × weights` closest to `values` (least squares, by the normal equations). The columns of `rows` must be
 * linearly independent.
 */
export function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const size = rows[0]?.length ?? 0;
  // Each line contains a row of Aᵀ·A, followed by the corresponding entry of Aᵀ·b.
  const lines = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) =>
      rows.reduce((sum, row, k) => sum + (row[i] ?? 0) * (j < size ? (row[j] ?? 0) : (values[k] ?? 0)), 0),
    ),
  );
  for (let i = 0; i < size; i++) {
    const pivot = lines[i] ?? [];
    for (const [k, line] of lines.entries()) {
      if (k === i) continue;
      const factor = (line[i] ?? 0) / (pivot[i] ?? 1);
      for (let j = i; j <= size; j++) line[j] = (line[j] ?? 0) - factor * (pivot[j] ?? 0);
    }
  }
  return lines.map((line, i) => (line[size] ?? 0) / (line[i] ?? 1));
}
