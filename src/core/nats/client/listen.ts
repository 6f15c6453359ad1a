import type { Msg, NatsConnection, NatsError, Subscription } from 'nats';

/** Who hears of a subscription. */
export interface Listener {
  message(message: Msg): void;
  /** The server refuses the subscription, or {@link message} has thrown. */
  failed(error: Error | NatsError): void;
}

/**
 * Subscribes. What the listener throws does not reach the client: there it would end the reading of the connection,
 * whose socket stays open and brings nothing any more.
 */
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

/** Calls what the client must not hear of: an error in it becomes one of the process, as that of any other callback. */
export function safely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
