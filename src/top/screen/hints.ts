import { completeHints, type Selection } from '../../text/complete-hints.js';
import type { Feed } from '../feed.js';
import type { Target } from '../model/events.js';
import type { Model } from '../model/model.js';

/** The flags that commands in messages need. */
export interface Hints {
  /** The selecting flags of this process. */
  flags: Selection;
  /** The stream and group that this process was started for. Its flags suffice for them. Null in a replay. */
  first: Pick<Target, 'stream' | 'group'> | null;
}

/** The hints of a process that shows `feed` from its start. */
export const hintsOf = ({ model, replay }: Pick<Feed, 'model' | 'replay'>, flags: Selection): Hints => ({
  flags,
  first: replay ? null : model.target,
});

/** The hints of a process without flags. */
export const NO_HINTS: Hints = { flags: {}, first: null };

/** Adds flags to the commands in a text, so that a copied command acts on the shown group. */
export function withFlags(text: string, { target }: Pick<Model, 'target'>, { flags, first }: Hints): string {
  const isFirst = target?.stream === first?.stream && target?.group === first?.group;
  if (!target || isFirst) return completeHints(text, flags);
  const { stream, group, bucket } = target;
  return completeHints(text, { ...flags, stream, bucket, group });
}
