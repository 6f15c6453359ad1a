import { NatspocError } from '../../lib/errors.js';
import type { BucketEntry } from '../../protocol/entries.js';
import { parseGroupKey } from '../../protocol/keys.js';
import { foreignFormat, RECORD_VERSION } from '../../protocol/record-format.js';

/**
 * An error if a session has another record format; undefined if none has. Members of different formats cannot read each other's sessions.
 */
export function refuseFormat(
  group: string,
  entries: readonly BucketEntry[],
  version: string,
): NatspocError | undefined {
  for (const { key, value } of entries) {
    const foreign = value && parseGroupKey(group, key).kind === 'session' ? foreignFormat(value) : undefined;
    if (!foreign) continue;
    const theirs = `record format ${foreign.v}${foreign.version === null ? '' : ` (natspoc ${foreign.version})`}`;
    const message = `Group ${group} has members of ${theirs}, but this member uses record format ${RECORD_VERSION} (natspoc ${version}). Stop those members, or choose another --group. If they are dead, delete ${key} from the bucket.`;
    return new NatspocError('layout-mismatch', message);
  }
  return undefined;
}
