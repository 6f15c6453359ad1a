import { keys } from '../../../src/core/protocol/keys.js';
import { decodePosition } from '../../../src/core/protocol/position-records.js';
import { RECORD_VERSION } from '../../../src/core/protocol/record-format.js';
import { decodeLease, encodeRecord } from '../../../src/core/protocol/records.js';
import { OPERATOR } from '../checks/damage.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';

/** The operator waits this long for an owner that has not seen the damage, and then looks again. */
const UNSEEN_MS = 500;
const WRITTEN = ['', '{', 'null', '{"v":1}', '{"v":99,"seq":1,"epoch":1,"at":"","owner":null}'].map((text) =>
  new TextEncoder().encode(text),
);

/** Overwrites an entry. Returns its new revision, or undefined if the entry has no readable value. */
function damage(world: World, key: string, isReadable: boolean): number | undefined {
  const { random, judge } = world;
  const { store } = world.server;
  const entry = store.get(key);
  if (!entry?.value || !isReadable || world.harm === 'loss') return undefined;
  world.harm = 'damage';
  judge.note(`${key} is overwritten`);
  return store.write(key, random.oneOf(WRITTEN) ?? entry.value, entry.revision, OPERATOR);
}

/** A position becomes unreadable, or readable only for a newer version. An operator ends this by a seek. */
export const unreadablePosition: Fault = (world) => {
  const { random, timeline, settings, server, ledger } = world;
  const partition = random.int(0, settings.partitions - 1);
  const key = keys.position(settings.group, partition);
  const value = server.store.get(key)?.value;
  const revision = damage(world, key, !!value && decodePosition(value) !== undefined);
  if (revision === undefined) return 0;
  const forMs = random.between(500, 8_000);
  timeline.after(forMs, () => {
    const { sequence: seq, epoch } = ledger.position(partition);
    const newest = Math.max(epoch, ledger.lease(partition).revision);
    const record = encodeRecord({ v: RECORD_VERSION, seq, epoch: newest, at: '' });
    server.store.write(key, record, revision, OPERATOR);
  });
  return forMs;
};

/**
 * A lease becomes unreadable. Once the partition has no owner, an operator fences the last owner and releases the lease. Without the
 * fencing, an owner without contact could continue later, because it has not seen the damage.
 */
export const unreadableLease: Fault = (world) => {
  const { random, timeline, settings, server, ledger } = world;
  const partition = random.int(0, settings.partitions - 1);
  const key = keys.lease(settings.group, partition);
  const value = server.store.get(key)?.value;
  const { owner } = ledger.lease(partition);
  const revision = damage(world, key, !!value && decodeLease(value) !== undefined);
  if (revision === undefined) return 0;
  const isOwned = (): boolean =>
    world.members.some(
      ({ isGone, member }) => !isGone && member.status.partitions.some((own) => own.partition === partition),
    );
  const fence = (of: (group: string, id: string) => string): void => {
    const entry = owner === null ? undefined : server.store.get(of(settings.group, owner));
    if (entry?.value) server.store.write(entry.key, null, entry.revision, OPERATOR);
  };
  const cure = (): void => {
    if (isOwned()) {
      timeline.after(UNSEEN_MS, cure);
      return;
    }
    fence(keys.proof);
    timeline.after(settings.ttlMs, () => {
      fence(keys.session);
      const record = encodeRecord({
        v: RECORD_VERSION,
        owner: null,
        name: '',
        reason: 'release',
        from: null,
        at: '',
      });
      server.store.write(key, record, revision, OPERATOR);
    });
  };
  const forMs = random.between(500, 8_000);
  timeline.after(forMs, cure);
  return forMs + 1.5 * settings.ttlMs;
};
