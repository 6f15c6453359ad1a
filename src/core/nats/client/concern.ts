import { NatspocError } from '../../lib/errors.js';

/**
 * A use of a stream. `handle`: a member handles the stream's messages. `publish`: a publisher sends messages to the stream.
 */
export type StreamUse = 'handle' | 'publish';

/** A setting of a stream or bucket that loses or could lose messages. */
export interface Concern {
  /** `refused`: natspoc refuses the affected uses. `warning`: the affected uses work, but the user should know the risk. */
  severity: 'refused' | 'warning';
  /** The uses of the stream that the concern affects. */
  uses: readonly StreamUse[];
  /** The server's name of the setting. */
  setting: string;
  /** One or two sentences about the effect of the setting and the remedy. */
  message: string;
}

/** Every use. */
export const ALL_USES: readonly StreamUse[] = ['handle', 'publish'];

/** @throws NatspocError `layout-mismatch` if one of these uses is refused. */
export function refuse(concerns: readonly Concern[], uses: readonly StreamUse[]): void {
  const refused = concerns.find(
    (each) => each.severity === 'refused' && uses.some((use) => each.uses.includes(use)),
  );
  if (refused) throw new NatspocError('layout-mismatch', refused.message);
}

/** The warnings for these uses. */
export function warningsOf(concerns: readonly Concern[], uses: readonly StreamUse[]): Concern[] {
  return concerns.filter(
    ({ severity, uses: about }) => severity === 'warning' && uses.some((use) => about.includes(use)),
  );
}

/** The value of a configuration field that is missing from the client's types. */
export function fieldOf(config: object, name: string): unknown {
  return new Map<string, unknown>(Object.entries(config)).get(name);
}
