import { SETTINGS } from '../../core/config/settings.js';
import type { Target } from '../model/events.js';
import type { Model } from '../model/model.js';

/** Settings that the layout of another group decides. */
const OF_LAYOUT = ['prefix', 'partitions', 'replicas', 'key', 'filter'] as const;

/** The variables that make a process join the group of a screen, if the screen was opened with another group. */
export function envOf({ target }: Model, first: Target | null): NodeJS.ProcessEnv {
  if (!target || (target.stream === first?.stream && target.group === first.group)) return {};
  const { stream, group, bucket } = target;
  return {
    ...Object.fromEntries(OF_LAYOUT.map((name) => [SETTINGS[name].env, undefined])),
    [SETTINGS.stream.env]: stream,
    [SETTINGS.group.env]: group,
    [SETTINGS.bucket.env]: bucket,
  };
}
