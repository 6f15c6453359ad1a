import { shellWord } from '../../core/lib/text.js';
import type { Model } from '../model/model.js';
import { withFlags } from '../screen/hints.js';
import type { PanelId, Ui } from '../screen/state.js';
import { type Line, line } from './text.js';

const HINTS: Partial<Record<PanelId, (model: Model) => string>> = {
  members: ({ target }) =>
    `No members. Start one: "natspoc consume --group ${shellWord(target?.group ?? '')}"`,
  updates: () => 'No updates yet.',
  messages: () => 'No messages. Publish some: "natspoc publish --rate 10"',
};

/** The reason why a panel has no rows, and a remedy. */
export function emptyLine(id: PanelId, model: Model, { filter, hints }: Pick<Ui, 'filter' | 'hints'>): Line {
  const text = !model.ready
    ? 'loading …'
    : filter === ''
      ? withFlags(HINTS[id]?.(model) ?? 'none', model, hints)
      : `nothing matches "${filter}"`;
  return line(text, { dim: true });
}
