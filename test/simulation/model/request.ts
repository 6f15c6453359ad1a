import type { Connection, Side } from './connection.js';

/**
 * Sends a request to the server over a connection. `atServer` runs when it arrives, and answers at most once. If no answer arrives within
 * `timeoutMs` on the sender's clock, the result is `otherwise`.
 */
export function request<T>(
  connection: Connection,
  timeoutMs: number,
  atServer: (side: Side, answer: (value: T) => void) => void,
  otherwise: T,
): Promise<T> {
  return new Promise((resolve) => {
    const { clock } = connection.process;
    const cancel = clock.at(clock.now() + timeoutMs, () => resolve(otherwise));
    connection.send((side) =>
      atServer(side, (value) =>
        connection.deliver(side, () => {
          cancel();
          resolve(value);
        }),
      ),
    );
  });
}
