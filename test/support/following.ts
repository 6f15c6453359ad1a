import { GroupFollower } from '../../src/core/admin/follower.js';
import type { WatchSink } from '../../src/core/ports/index.js';
import type { BucketEntry } from '../../src/core/protocol/entries.js';
import { keys } from '../../src/core/protocol/keys.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import { encodeRecord } from '../../src/core/protocol/records.js';

const GROUP = 'g';
const AT = '2026-01-05T12:00:00.000Z';

/** The entry of a session. Its pid equals its revision. */
export const session = (id: string, revision: number, leaving = false, name = `name-${id}`): BucketEntry => ({
  key: keys.session(GROUP, id),
  revision,
  value: encodeRecord({
    v: RECORD_VERSION,
    id,
    name,
    host: 'h',
    pid: revision,
    version: '1.0.0',
    startedAt: AT,
    ttlMs: 10_000,
    suspectMs: 800,
    ...(leaving && { leaving }),
  }),
});
/** The entry of a session that has ended. */
export const ended = (id: string, revision: number): BucketEntry => ({
  key: keys.session(GROUP, id),
  revision,
  value: null,
});
export const lease = (
  partition: number,
  revision: number,
  owner: string | null,
  from: string | null = null,
): BucketEntry => ({
  key: keys.lease(GROUP, partition),
  revision,
  value: encodeRecord({
    v: RECORD_VERSION,
    owner,
    name: owner === null ? '' : `name-${owner}`,
    reason: 'claim',
    from,
    at: AT,
  }),
});

/** A follower of these entries, and a function that changes them. */
export function following(entries: BucketEntry[]): { follower: GroupFollower; change: WatchSink['changes'] } {
  let sink: WatchSink | undefined;
  const source = {
    watch: (given: WatchSink) => {
      sink = given;
      return { stop: () => {} };
    },
  };
  const follower = new GroupFollower(source, GROUP);
  sink?.snapshot(entries);
  return { follower, change: (changes) => sink?.changes(changes) };
}
