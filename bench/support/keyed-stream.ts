import { createInbox, type NatsConnection } from 'nats';
import type { ConsumeBench } from './consumers.js';

/** The number of customers. Each has four kinds of messages, so there are 20,000 subjects. */
const CUSTOMERS = 5_000;
const KINDS = ['created', 'paid', 'shipped', 'closed'];
const IN_FLIGHT = 4_000;

const subjectOf = (number: number): string =>
  `orders.c${number % CUSTOMERS}.${KINDS[Math.floor(number / CUSTOMERS) % KINDS.length]}`;

/** Creates a stream and fills it with messages of `orders.<customer>.<kind>`. */
export async function fillOrders(
  { connection, manager, stream, messages }: Omit<ConsumeBench, 'config' | 'filters'>,
  sizeBytes: number,
): Promise<void> {
  await manager.streams.add({ name: stream, subjects: ['orders.*.*'] });
  await publishAll(connection, messages, Buffer.alloc(sizeBytes, 'x'));
  const { state } = await manager.streams.info(stream);
  if (state.messages !== messages)
    throw new Error(`${stream} holds ${state.messages} of ${messages} messages`);
}

function publishAll(connection: NatsConnection, messages: number, payload: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const reply = createInbox();
    let [sent, answered] = [0, 0];
    const pump = (): void => {
      for (; sent < messages && sent - answered < IN_FLIGHT; sent++)
        connection.publish(subjectOf(sent), payload, { reply });
    };
    const subscription = connection.subscribe(reply, {
      callback: () => {
        if (++answered < messages) pump();
        else {
          subscription.unsubscribe();
          resolve();
        }
      },
    });
    pump();
  });
}
