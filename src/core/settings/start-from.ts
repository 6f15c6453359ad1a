/** Where a group without positions starts: the first message, only new ones, a sequence, or a time. */
export type StartFrom =
  | { kind: 'first' }
  | { kind: 'new' }
  | { kind: 'sequence'; sequence: number }
  | { kind: 'time'; time: Date };

/** Reads `first`, `new`, `seq:N` or `time:ISO-8601`. */
export function parseFrom(value: string): StartFrom | undefined {
  const [kind, rest] = [value.split(':')[0], value.slice(value.indexOf(':') + 1)];
  if (value === 'first' || value === 'new') return { kind: value };
  if (kind === 'seq' && /^[1-9]\d*$/.test(rest)) return { kind: 'sequence', sequence: Number(rest) };
  if (kind === 'time' && !Number.isNaN(Date.parse(rest))) return { kind: 'time', time: new Date(rest) };
  return undefined;
}
