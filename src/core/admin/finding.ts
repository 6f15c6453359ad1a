/** A problem of a group. Severity `warning`: the group works, but not as it should. */
export interface Finding {
  kind:
    | 'no-members'
    | 'unowned'
    | 'owner-lost'
    | 'owner-silent'
    | 'owner-blocked'
    | 'halted'
    | 'beyond-end'
    | 'other-stream'
    | 'retrying'
    | 'paused'
    | 'unreadable'
    | 'trimmed'
    | 'uncovered'
    | 'lag'
    | 'age'
    | 'stalled'
    | 'resizing'
    | 'imbalance'
    | 'near-expiry'
    | 'setting';
  severity: 'critical' | 'warning';
  partition: number | null;
  member: string | null;
  message: string;
}

/** Creates a problem of the group, or of the partition or member in `about`. */
export function finding(
  kind: Finding['kind'],
  severity: Finding['severity'],
  message: string,
  about: { partition?: number; member?: string } = {},
): Finding {
  return { kind, severity, partition: about.partition ?? null, member: about.member ?? null, message };
}
