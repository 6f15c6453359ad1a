import type { Watchable } from '../feed.js';
import type { Model } from '../model/model.js';
import { closes, stepIn } from './list-steps.js';
import type { Outcome, Situation } from './outcome.js';
import type { GroupList, Ui } from './state.js';

/** Lists the groups of the account. */
export const listGroups = ({ ui }: Situation): Outcome => ({
  ui: { ...ui, help: false, problems: false, groups: { rows: null, at: 0 } },
  command: { type: 'list-groups' },
});

/** The list of groups with its rows. The cursor is on the watched group. */
export function groupsRead({ target }: Model, rows: readonly Watchable[]): GroupList {
  const at = rows.findIndex(({ stream, group }) => stream === target?.stream && group === target.group);
  return { rows, at: Math.max(0, at) };
}

/** The state of the screen after the operator has chosen another group. */
const opened = (ui: Ui): Ui => ({
  ...ui,
  ...{ groups: null, selected: {}, detail: null, filter: '', frozen: null, zoom: false, notice: null },
});

/** The effect of a key in the list of groups. */
export function pressInGroups({ ui, ...rest }: Situation, list: GroupList, key: string): Outcome {
  const { rows, at } = list;
  const to = stepIn(key, { at, length: rows?.length ?? 0, page: rest.page });
  if (to !== undefined) return { ui: { ...ui, groups: { rows, at: to } } };
  const chosen = rows?.[at];
  if (key === 'enter' && chosen) {
    const { stream, group } = chosen;
    return { ui: opened(ui), command: { type: 'open-group', stream, group } };
  }
  if (key === 'o') return listGroups({ ui, ...rest });
  return { ui: closes(key) ? { ...ui, groups: null } : ui };
}
