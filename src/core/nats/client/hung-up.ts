import { ProtocolHandler } from 'nats/lib/nats-base-client/protocol.js';

/**
 * Time, in milliseconds, to read the last bytes of a closed connection. The last bytes may contain the reason for the end
 * of the connection.
 */
const LAST_WORDS_MS = 50;

const dial = ProtocolHandler.prototype.dial;

function dialUntilHungUp(
  this: ProtocolHandler,
  ...args: Parameters<ProtocolHandler['dial']>
): ReturnType<ProtocolHandler['dial']> {
  const dialled = dial.apply(this, args);
  // `connectError` and `transport` belong to the attempt that has just started. After the attempt has succeeded or failed,
  // `connectError` does nothing.
  const { connectError, transport } = this;
  void transport.closed().then((error) => {
    setTimeout(() => connectError?.(error ?? new Error('the server closed the connection')), LAST_WORDS_MS);
  });
  return dialled;
}

/**
 * Makes the client notice when a server hangs up during a handshake, for example because the server was killed. By default
 * the client waits until the attempt times out. A wait of several seconds would cost a member its leases. May be called
 * more than once.
 */
export function noticeHangUps(): void {
  ProtocolHandler.prototype.dial = dialUntilHungUp;
}
