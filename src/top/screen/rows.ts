import { compareNames } from '../../core/admin/describe-group.js';
import type { LeaseStatus } from '../../core/admin/lease-status.js';
import type { MemberStatus } from '../../core/admin/members.js';
import type { MessageFacts } from '../../core/ports/facts.js';
import type { Model } from '../model/model.js';
import { memberRows, partitionRows } from '../model/select.js';
import { troubledMember, troubledPartitions } from '../model/worst.js';
import { plain } from '../view/text.js';
import { groupUpdates, type UpdateGroup, updateLine } from '../view/updates.js';
import type { MemberSort, PanelId, PartitionSort, Ui } from './state.js';

const most = (value: number | null): number => value ?? -1;

const PARTITION_ORDER: Record<PartitionSort, (a: LeaseStatus, b: LeaseStatus) => number> = {
  number: (a, b) => a.partition - b.partition,
  lag: (a, b) => most(b.lag) - most(a.lag),
  rate: (a, b) => most(b.ratePerSecond) - most(a.ratePerSecond),
  owner: (a, b) => compareNames(a.owner ?? '', b.owner ?? ''),
  held: (a, b) => most(a.heldMs) - most(b.heldMs),
};

const resident = ({ stats }: MemberStatus): number => stats?.memory.sysBytes ?? -1;

const MEMBER_ORDER: Record<MemberSort, (a: MemberStatus, b: MemberStatus) => number> = {
  name: () => 0,
  partitions: (a, b) => b.partitions.length - a.partitions.length,
  lag: (a, b) => most(b.lag) - most(a.lag),
  rate: (a, b) => most(b.ratePerSecond) - most(a.ratePerSecond),
  memory: (a, b) => resident(b) - resident(a),
};

const matches = (ui: Ui, ...texts: (string | null | undefined)[]): boolean =>
  ui.filter === '' || texts.some((text) => text?.toLowerCase().includes(ui.filter.toLowerCase()));

/** The partitions that match the filter, sorted. */
export function visiblePartitions(model: Model, ui: Ui): LeaseStatus[] {
  return partitionRows(model)
    .filter((row) => matches(ui, `p${row.partition}`, row.owner, row.state))
    .sort((a, b) => PARTITION_ORDER[ui.partitionSort](a, b) || a.partition - b.partition);
}

/** The partitions that match the filter, in the numerical order of the timeline and the map. */
export const numberedPartitions = (model: Model, ui: Ui): LeaseStatus[] =>
  visiblePartitions(model, { ...ui, partitionSort: 'number' });

/** The members that match the filter, sorted. */
export function visibleMembers(model: Model, ui: Ui): MemberStatus[] {
  return memberRows(model)
    .filter(({ name, host, pid, partitions }) =>
      matches(ui, name, host, `${pid}`, ...partitions.map((p) => `p${p}`)),
    )
    .sort(MEMBER_ORDER[ui.memberSort]);
}

/** The updates that match the filter, oldest first. */
export function visibleUpdates(model: Model, ui: Ui): UpdateGroup[] {
  const groups = groupUpdates(model.updates);
  if (ui.filter === '') return groups;
  return groups.filter((group) => matches(ui, plain(updateLine(model, group))));
}

/** The messages that match the filter, oldest first. */
export function visibleMessages(model: Model, ui: Ui): MessageFacts[] {
  return model.messages.filter(({ partition, key, sequence, preview }) =>
    matches(ui, `p${partition}`, key, `${sequence}`, preview),
  );
}

/** The id of an update as a row of its panel. */
export function updateId({ first }: UpdateGroup): string {
  const who = 'session' in first ? first.session : '';
  return `${first.at} ${first.event} ${who} ${'partition' in first ? first.partition : ''}`;
}

const idsOf = (rows: readonly LeaseStatus[]): string[] => rows.map(({ partition }) => `${partition}`);

/**
 * The ids of a panel's selectable rows, in display order.
 *
 * @param isMap true if the partitions are shown as a map
 */
export function rowIds(model: Model, ui: Ui, panel: PanelId, isMap: boolean): string[] {
  switch (panel) {
    case 'partitions':
      return idsOf(isMap ? numberedPartitions(model, ui) : visiblePartitions(model, ui));
    case 'timeline':
      return idsOf(numberedPartitions(model, ui));
    case 'members':
      return visibleMembers(model, ui).map(({ session }) => session);
    case 'updates':
      return visibleUpdates(model, ui).map(updateId);
    case 'messages':
      return visibleMessages(model, ui).map(({ sequence }) => `${sequence}`);
    case 'rates':
    case 'stream':
      return [];
  }
}

/** The row under the cursor. Without a selected row, it is the worst row of the focused panel, if any. */
export function cursorOf(model: Model, ui: Ui, panel: PanelId): string | undefined {
  const selected = ui.selected[panel];
  if (selected !== undefined) return selected;
  if (ui.focus !== panel || !model.ready) return undefined;
  if (panel === 'members') return troubledMember(model);
  if (panel !== 'partitions') return undefined;
  const [worst] = troubledPartitions(model);
  return worst && `${worst.partition}`;
}
