/** The part of a list that is shown. */
export interface Window {
  start: number;
  end: number;
}

/** The part of `count` rows that is shown in `height` lines: around the selected row, or else at the start or end. */
export function windowOf(count: number, height: number, selected: number, follow: 'start' | 'end'): Window {
  if (count <= height) return { start: 0, end: count };
  const wanted = selected >= 0 ? selected - (height >> 1) : follow === 'end' ? count - height : 0;
  const start = Math.max(0, Math.min(count - height, wanted));
  return { start, end: start + height };
}

/** The numbers of the shown rows, and the number of all rows, as text. */
export const describeWindow = ({ start, end }: Window, count: number): string =>
  end - start < count ? `${start + 1}-${end} of ${count}` : `${count}`;
