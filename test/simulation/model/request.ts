import type { Connection, Side } from './connection.js';

/**
 * Asks the server something over a connection. `atServer` runs when the request gets there, and answers once
 * or not at all; without an answer within `timeoutMs` of the asker's clock, `otherwise` is the result.
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
