import { NatspocError } from '../../lib/errors.js';

/** A use of a stream: `handle` as a member, `publish` to it. */
export type StreamUse = 'handle' | 'publish';

/** A setting of a stream or bucket that loses messages, or may. */
export interface Concern {
  /** `refused`: who would use it that way is refused. `warning`: it works, and the user should know. */
  severity: 'refused' | 'warning';
  /** The uses that it concerns. */
  uses: readonly StreamUse[];
  /** The setting as the server calls it. */
  setting: string;
  /** One or two sentences: what it does, and what to do. */
  message: string;
}

/** Every use. */
export const ALL_USES: readonly StreamUse[] = ['handle', 'publish'];

/** @throws NatspocError `layout-mismatch` where one of these uses is refused. */
export function refuse(concerns: readonly Concern[], uses: readonly StreamUse[]): void {
  const refused = concerns.find(
    (each) => each.severity === 'refused' && uses.some((use) => each.uses.includes(use)),
  );
  if (refused) throw new NatspocError('layout-mismatch', refused.message);
}

/** The warnings that matter for these uses. */
export function warningsOf(concerns: readonly Concern[], uses: readonly StreamUse[]): Concern[] {
  return concerns.filter(
    ({ severity, uses: about }) => severity === 'warning' && uses.some((use) => about.includes(use)),
  );
}

/** Fields of a configuration that the client's types do not know. */
export function fieldOf(config: object, name: string): unknown {
  return new Map<string, unknown>(Object.entries(config)).get(name);
}
