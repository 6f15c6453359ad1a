import type { NatsConnection } from 'nats';

type Connected = Pick<NatsConnection, 'info'>;

function isAtLeast({ info }: Connected, major: number, minor: number): boolean {
  const [, itsMajor, itsMinor] = /^(\d+)\.(\d+)\./.exec(info?.version ?? '') ?? [];
  return Number(itsMajor) > major || (Number(itsMajor) === major && Number(itsMinor) >= minor);
}

/** True since nats-server 2.15, which limits a stream without `max_consumers` to 1,000 consumers. */
export const hasDefaultConsumers = (connection: Connected): boolean => isAtLeast(connection, 2, 15);

/**
 * False if the server may report a wrong creation time of a stream. After a restart, a change of settings and another
 * restart, 2.9.10 and 2.10.27 report the time of the first restart; 2.15.1 reports the right time.
 */
export const keepsCreation = (connection: Connected): boolean => isAtLeast(connection, 2, 15);
