import { timingFor } from '../../../src/core/protocol/timing.js';
import type { World } from '../world.js';

/** Because of jitter, slow clocks and latency, two renewals can be this many renewal intervals apart. */
const RENEWED_WITHIN = 1.3;

/** The reason why a group is not at rest (I5, I7). Undefined if it is at rest. */
export function unrest(world: World): string | undefined {
  const { settings, ledger, server, active } = world;
  // A refused member that has started over opens no reader until it owns a partition. Until then it is not refused again.
  const refused = active.find(
    ({ client, member }) => client.stream.wasRefused && member.status.partitions.length > 0,
  );
  if (refused) return `${refused.name} was refused, but has not ended`;
  const ids = new Map(active.map((member) => [member.member.id ?? '', member]));
  if (ledger.sessions.size !== active.length)
    return `${ledger.sessions.size} sessions, ${active.length} members: ${[...ledger.sessions].join(', ')}`;
  const { renewEveryMs } = timingFor(settings.ttlMs, settings.probeEveryMs);
  for (const id of ledger.sessions) {
    const member = ids.get(id);
    if (!member?.connection.isUp) return `${member?.name ?? id} is not connected`;
    const renewedAt = ledger.proofs.get(id) ?? Number.NEGATIVE_INFINITY;
    if (world.timeline.now - renewedAt > renewEveryMs * RENEWED_WITHIN + 2 * settings.latency.maxMs)
      return `${member.name} does not renew`;
  }
  if (world.layout?.record.next) return 'a requested resize is not finished';
  const loads = new Map<string, number>([...ids.keys()].map((id) => [id, 0]));
  for (let partition = 0; partition < settings.partitions; partition++) {
    const { owner } = ledger.lease(partition);
    if (owner === null || !ids.has(owner)) return `p${partition} has no owner`;
    loads.set(owner, (loads.get(owner) ?? 0) + 1);
  }
  const counts = [...loads.values()];
  if (Math.max(...counts) - Math.min(...counts) > 1) return `unequal loads: ${counts.join(' ')}`;
  for (const { name, member } of active) {
    const running = member.status.partitions.filter(({ state }) => state === 'running').length;
    const owned = loads.get(member.id ?? '');
    if (running !== owned) return `${name} owns ${owned} partitions, but runs ${running}`;
  }
  for (let partition = 0; partition < settings.partitions; partition++) {
    const newest = server.log.of(partition).at(-1);
    const last = newest && !server.log.isDropped(newest) ? newest.sequence : 0;
    const committed = ledger.position(partition).sequence;
    // While messages are published, the newest ones are still being handled.
    if (!world.isPublishing && committed < last) return `p${partition} is at ${committed}, not ${last}`;
    const poisonous = toEndItsProcess(world, partition);
    if (poisonous !== undefined)
      return `p${partition} has not settled message ${poisonous}, which ends its process`;
    const repeated = toBeRepeated(world, partition);
    if (repeated !== undefined) return `p${partition} has not repeated ${repeated}`;
  }
  // A member that has not seen all entries may still react to them, so the group is not at rest.
  const stored = server.store.below(`group.${settings.group}.`);
  for (const { name, bucket } of active)
    if (stored.some(({ key, revision }) => bucket.seen.get(key) !== revision))
      return `${name} has not seen all entries`;
  return undefined;
}

/** The first message that will end its process. A long backlog may be before it. */
function toEndItsProcess({ ledger, poison, server }: World, partition: number): number | undefined {
  if (!poison.isActive) return undefined;
  const { sequence } = ledger.position(partition);
  return server.log
    .of(partition)
    .find((each) => each.sequence > sequence && poison.has(each.sequence) && !server.log.isDropped(each))
    ?.sequence;
}

/** The first uncommitted message that only an earlier owner has handled. */
function toBeRepeated({ ledger, server }: World, partition: number): number | undefined {
  const { revision } = ledger.lease(partition);
  let next = server.log.firstAfter(partition, ledger.position(partition).sequence);
  while (next && (next.done || server.log.isDropped(next))) {
    if (!server.log.isDropped(next) && next.handledUnder !== undefined && next.handledUnder !== revision)
      return next.sequence;
    next = server.log.of(partition)[next.index + 1];
  }
  return undefined;
}
