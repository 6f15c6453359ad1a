/**
 * Parses and formats quantities as people type them: `250ms`, `10s`, `1.5 MB`, `500/s`. Parsers return `undefined` for
 * invalid text; the caller names the setting in its message.
 */

const DURATION_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds in `250ms`, `10s`, `2m`, `1h30m`. Refuses a number without a unit, such as `10`, because it is ambiguous. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    totalMs += Number(amount) * (DURATION_MS[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}

/** A short duration for people: `7 ms`, `1.4 s`, `3m 12s`, `2h 5m`, `4d 3h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000)
    return `${durationMs < 10 ? Math.round(durationMs * 10) / 10 : Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(durationMs < 10_000 ? 1 : 0)} s`;
  const seconds = Math.round(durationMs / 1_000);
  const pairs: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = pairs.findIndex(([amount]) => amount > 0);
  return pairs
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

const SIZE_BYTES: Record<string, number> = {
  '': 1,
  k: 1_000,
  m: 1_000_000,
  g: 1_000_000_000,
  ki: 1_024,
  mi: 1_048_576,
  gi: 1_073_741_824,
};

/** The number of bytes in a text such as `128`, `128B`, `1KiB`, `1.5 MB`. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmg]i?)?b?\s*$/i.exec(text);
  const factor = SIZE_BYTES[(match?.[2] ?? '').toLowerCase()];
  return match && factor ? Math.round(Number(match[1]) * factor) : undefined;
}

/** Bytes for people, in powers of 1,024: `512 B`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1_024 && unit < units.length - 1) {
    amount /= 1_024;
    unit++;
  }
  return `${unit > 0 && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}

const PER_SECOND: Record<string, number> = { s: 1, m: 1 / 60, h: 1 / 3_600 };

/** The messages per second in a text such as `500`, `500/s`, `30/m`, `0.5/s`. */
export function parseRate(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*([smh]))?\s*$/.exec(text);
  const factor = PER_SECOND[match?.[2] ?? 's'];
  return match && factor ? Number(match[1]) * factor : undefined;
}

const TIMES: Record<string, number> = { '': 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 };

/** The whole number in a text such as `500`, `1_000`, `10k`, `1.5M`, `1e6`. */
export function parseCount(text: string): number | undefined {
  const match = /^\s*(\d+(?:_\d+)*(?:\.\d+)?(?:e\d{1,2})?)([kmg]?)\s*$/i.exec(text);
  const factor = TIMES[(match?.[2] ?? '').toLowerCase()] ?? 1;
  const count = match?.[1] === undefined ? Number.NaN : Number(match[1].replaceAll('_', '')) * factor;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** A count for people: `1,234,567`. */
export function formatCount(count: number): string {
  // The first call of toLocaleString loads locale data, which takes as long as connecting to a server.
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count of things for people: `1 message`, `1,204 messages`. */
export const countOf = (count: number, thing: string): string =>
  `${formatCount(count)} ${thing}${count === 1 ? '' : 's'}`;

/** A count that may be an estimate: `1,204`, `~1,204`. */
export const aboutCount = (count: number, isEstimate: boolean): string =>
  `${isEstimate ? '~' : ''}${formatCount(count)}`;

/** A rate for people: `0.5/s`, `12.3/s`, `1,204/s`, `161k/s`, `2.1M/s`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 1_000_000) return `${(perSecond / 1_000_000).toFixed(1)}M/s`;
  if (perSecond >= 10_000) return `${Math.round(perSecond / 1_000)}k/s`;
  return `${perSecond < 100 ? Math.round(perSecond * 10) / 10 : formatCount(perSecond)}/s`;
}
