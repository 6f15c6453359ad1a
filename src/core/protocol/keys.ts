import { isId, MAX_PARTITIONS } from './record-format.js';

/** The keys of the bucket. Members watch only the keys under `groupPrefix`. Proofs of life and positions have other prefixes. */
export const keys = {
  layout: 'layout',
  groupPrefix: (group: string) => `group.${group}.`,
  groupLayout: (group: string) => `group.${group}.layout`,
  session: (group: string, id: string) => `group.${group}.session.${id}`,
  proofPrefix: (group: string) => `alive.${group}.`,
  proof: (group: string, id: string) => `alive.${group}.${id}`,
  lease: (group: string, partition: number) => `group.${group}.lease.${partition}`,
  override: (group: string, partition: number) => `group.${group}.override.${partition}`,
  positionPrefix: (group: string) => `position.${group}.`,
  position: (group: string, partition: number) => `position.${group}.${partition}`,
  start: (group: string) => `position.${group}.start`,
  job: (group: string) => `position.${group}.job`,
  clearedPrefix: (group: string) => `cleared.${group}.`,
  cleared: (group: string, partition: number) => `cleared.${group}.${partition}`,
};

/**
 * The group whose existence this key proves, if any. The key of a position still does so after all members have left.
 * Before the first position is written, a session or lease does.
 */
export function groupProvedBy(key: string): string | undefined {
  const [kind, group, what, ...rest] = key.split('.');
  if (!isId(group)) return undefined;
  if (kind === 'position') return what !== undefined && rest.length === 0 ? group : undefined;
  return kind === 'group' && (what === 'session' || what === 'lease') && rest.length === 1
    ? group
    : undefined;
}

/** What a key under the group's prefix identifies. */
export type GroupKey =
  | { kind: 'session'; id: string }
  | { kind: 'lease'; partition: number }
  | { kind: 'override'; partition: number }
  | { kind: 'layout' }
  | { kind: 'other' };

/** Parses a key under {@link keys.groupPrefix}. Unknown keys are `other`. */
export function parseGroupKey(group: string, key: string): GroupKey {
  const prefix = keys.groupPrefix(group);
  if (!key.startsWith(prefix)) return { kind: 'other' };
  const [kind, id, ...rest] = key.slice(prefix.length).split('.');
  if (kind === 'layout' && id === undefined) return { kind };
  if (!isId(id) || rest.length > 0) return { kind: 'other' };
  if (kind === 'session') return { kind: 'session', id };
  const partition = partitionIn(id);
  if ((kind === 'lease' || kind === 'override') && partition !== undefined) return { kind, partition };
  return { kind: 'other' };
}

/** The partition number in the last token of a key, if valid. */
export function partitionIn(token: string): number | undefined {
  const partition = /^(0|[1-9]\d{0,4})$/.test(token) ? Number(token) : MAX_PARTITIONS;
  return partition < MAX_PARTITIONS ? partition : undefined;
}
