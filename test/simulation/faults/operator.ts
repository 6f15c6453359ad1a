import { keys } from '../../../src/core/protocol/keys.js';
import type { GroupLayoutRecord } from '../../../src/core/protocol/layout-records.js';
import { behindResize } from '../../../src/core/protocol/partition-start.js';
import { RECORD_VERSION, RESIZED_VERSION } from '../../../src/core/protocol/record-format.js';
import { encodeRecord } from '../../../src/core/protocol/records.js';
import { OPERATOR } from '../checks/damage.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';

const MOST_PARTITIONS = 16;

/** Writes an override of a partition. Null removes it. */
function override(
  world: World,
  partition: number,
  wanted: { pin: string | null; paused: boolean } | null,
): void {
  const { store } = world.server;
  const key = keys.override(world.settings.group, partition);
  const value = wanted && encodeRecord({ v: RECORD_VERSION, ...wanted, by: 'operator', at: '' });
  store.write(key, value, store.get(key)?.revision ?? 0, OPERATOR);
}

/** Pins a partition to a member. Null ends the pin. */
export const pin = (world: World, partition: number, name: string | null): void =>
  override(world, partition, name === null ? null : { pin: name, paused: false });

/** Pauses a random partition. */
export const pause = (world: World): void =>
  override(world, world.random.int(0, world.settings.partitions - 1), { pin: null, paused: true });

export function liftAll(world: World): void {
  for (let partition = 0; partition < world.settings.partitions; partition++)
    if (world.server.store.get(keys.override(world.settings.group, partition))?.value)
      override(world, partition, null);
}

/** An operator releases partitions. */
export const releases: Fault = (world, { member }) => {
  for (const { partition } of member.status.partitions) {
    if (world.random.chance(0.5)) member.orders.release(partition, null);
  }
  return 0;
};

/** An operator starts to fence a healthy or dying member, but stops before its session is deleted. */
export const halfFenced: Fault = (world, member) => {
  const { random, server, settings } = world;
  const { store } = server;
  const key = keys.proof(settings.group, member.member.id ?? '');
  const proof = store.get(key);
  if (!proof?.value) return 0;
  if (random.chance(0.5)) member.crash(random.chance(0.5));
  store.write(key, null, proof.revision, OPERATOR);
  return 0;
};

/** Some partitions are pinned to a member for some time. */
export const pins: Fault = (world, { name }) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, 8_000);
  for (let i = random.int(1, 4); i > 0; i--) {
    const partition = random.int(0, settings.partitions - 1);
    override(world, partition, { pin: name, paused: random.chance(0.2) });
    timeline.after(forMs, () => override(world, partition, null));
  }
  return forMs;
};

/** The layout of a group that was never resized: the stream's own partitions. */
const ownLayout = (partitions: number): GroupLayoutRecord => ({
  ...{ v: RESIZED_VERSION, key: 'function:slot', filter: '>', partitions, hash: 'fnv1a32', prefix: 'events' },
});

/** Lets an operator request a resize. Returns false if none is possible now. */
export function orderResize(world: World, partitions: number): boolean {
  const { ledger, server, settings } = world;
  if (!settings.resizing) return false;
  const layout = world.layout ?? { record: ownLayout(settings.partitions), revision: 0 };
  if (layout.record.next || behindResize(layout.record, ledger.positions).length > 0) return false;
  const next = { partitions, by: OPERATOR, at: '' };
  const record = encodeRecord({ ...layout.record, v: RESIZED_VERSION, next });
  return (
    server.store.write(keys.groupLayout(settings.group), record, layout.revision, OPERATOR) !== undefined
  );
}

/** An operator resizes the group, and sometimes withdraws the resize. */
export const resizes: Fault = (world) => {
  const { random, timeline, server, settings } = world;
  if (!orderResize(world, random.int(1, MOST_PARTITIONS))) return 0;
  const withdrawMs = random.between(0, 1_000);
  if (random.chance(0.3))
    timeline.after(withdrawMs, () => {
      const { layout } = world;
      if (!layout?.record.next) return;
      const { next, ...rest } = layout.record;
      world.judge.note('the operator withdraws the resize');
      server.store.write(keys.groupLayout(settings.group), encodeRecord(rest), layout.revision, OPERATOR);
    });
  return withdrawMs;
};

/** Some partitions are paused for some time. */
export const rests: Fault = (world) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, 8_000);
  for (let i = random.int(1, 4); i > 0; i--) {
    const partition = random.int(0, settings.partitions - 1);
    override(world, partition, { pin: null, paused: true });
    timeline.after(forMs, () => override(world, partition, null));
  }
  return forMs;
};
