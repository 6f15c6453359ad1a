import { SETTINGS } from '../../core/config/settings.js';
import type { Target } from '../model/events.js';
import type { Model } from '../model/model.js';

/** Settings that are not inherited. The new process takes them from the group's layout. */
const OF_LAYOUT = ['prefix', 'partitions', 'replicas', 'key', 'filter'] as const;

/**
 * The environment variables that make a new process join the shown group. None are needed if the screen was opened with this group
 * (`first`).
 */
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
