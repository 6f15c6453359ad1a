import type { Msg, NatsConnection, NatsError, Subscription } from 'nats';

/** Receives the messages of a subscription. */
export interface Listener {
  message(message: Msg): void;
  /** The server refused the subscription, or `message` threw. */
  failed(error: Error | NatsError): void;
}

/** Subscribes. The client never sees an exception of the listener. Such an exception would stop the client's read loop. */
export function listen(
  connection: NatsConnection,
  subject: string,
  listener: Listener,
  options: { queue?: string } = {},
): Subscription {
  return connection.subscribe(subject, {
    ...options,
    callback: (error, message) => {
      try {
        if (error) return listener.failed(error);
        listener.message(message);
      } catch (thrown) {
        safely(() => listener.failed(thrown instanceof Error ? thrown : new Error(String(thrown))));
      }
    },
  });
}

/** Runs a callback inside the client. The callback's exceptions are thrown later, outside the client. */
export function safely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
