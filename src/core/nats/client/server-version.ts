import type { NatsConnection } from 'nats';

/** True from nats-server 2.15 on: a stream without `max_consumers` has 1,000 there. */
export function hasDefaultConsumers({ info }: NatsConnection): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(info?.version ?? '') ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 15);
}
