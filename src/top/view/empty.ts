import type { Model } from '../model/model.js';
import type { PanelId, Ui } from '../screen/state.js';
import { type Line, line } from './text.js';

const HINTS: Partial<Record<PanelId, (model: Model) => string>> = {
  members: ({ target }) => `No members. Start one: natspoc consume --group ${target?.group ?? ''}`,
  updates: () => 'No updates yet.',
  messages: () => 'No messages. Publish some: natspoc publish --rate 10',
};

/** The reason why a panel has no rows, and a remedy. */
export function emptyLine(id: PanelId, model: Model, { filter }: Pick<Ui, 'filter'>): Line {
  const text = !model.ready
    ? 'loading …'
    : filter === ''
      ? (HINTS[id]?.(model) ?? 'none')
      : `nothing matches "${filter}"`;
  return line(text, { dim: true });
}
