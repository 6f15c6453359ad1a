import type { NatsConnection } from 'nats';

type Connected = Pick<NatsConnection, 'info'>;

/** Returns false if the version is unknown. */
function isAtLeast({ info }: Connected, ...wanted: readonly number[]): boolean {
  const [, ...found] = /^(\d+)\.(\d+)\.(\d+)/.exec(info?.version ?? '') ?? [];
  const differs = wanted.findIndex((part, at) => Number(found[at]) !== part);
  return found.length > 0 && (differs < 0 || Number(found[differs]) > (wanted[differs] ?? 0));
}

/** True for nats-server 2.15 or newer, which limits a stream without `max_consumers` to 1,000 consumers. */
export const hasDefaultConsumers = (connection: Connected): boolean => isAtLeast(connection, 2, 15);

/**
 * False if the server may report a wrong creation time of a stream. Versions 2.9.10 and 2.10.27 do so after a restart, a
 * change of settings and another restart. They report the time of the first restart. Version 2.15.1 is correct.
 */
export const keepsCreation = (connection: Connected): boolean => isAtLeast(connection, 2, 15);

/**
 * False if a consumer's number of waiting messages may include messages that the stream has dropped. Before 2.9.15, the
 * server subtracts a dropped message only if it was stored after the consumer was created or last inspected
 * (`decStreamPending` in server/consumer.go).
 */
export const countsDrops = (connection: Connected): boolean => isAtLeast(connection, 2, 9, 15);
