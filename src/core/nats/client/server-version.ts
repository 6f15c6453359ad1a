import type { NatsConnection } from 'nats';

type Connected = Pick<NatsConnection, 'info'>;

function isAtLeast({ info }: Connected, major: number, minor: number): boolean {
  const [, itsMajor, itsMinor] = /^(\d+)\.(\d+)\./.exec(info?.version ?? '') ?? [];
  return Number(itsMajor) > major || (Number(itsMajor) === major && Number(itsMinor) >= minor);
}

/** True from nats-server 2.15 on: a stream without `max_consumers` has 1,000 there. */
export const hasDefaultConsumers = (connection: Connected): boolean => isAtLeast(connection, 2, 15);

/**
 * False where the server may forget when a stream was created: after a restart, a change of settings and another restart,
 * 2.9.10 and 2.10.27 tell the time of the first restart, 2.15.1 does not.
 */
export const keepsCreation = (connection: Connected): boolean => isAtLeast(connection, 2, 15);
