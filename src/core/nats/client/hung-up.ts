import { ProtocolHandler } from 'nats/lib/nats-base-client/protocol.js';

/**
 * Time, in milliseconds, to read the last bytes of a closed connection. They can contain the server's reason for closing
 * it.
 */
const LAST_WORDS_MS = 50;

const dial = ProtocolHandler.prototype.dial;

function dialUntilHungUp(
  this: ProtocolHandler,
  ...args: Parameters<ProtocolHandler['dial']>
): ReturnType<ProtocolHandler['dial']> {
  const dialled = dial.apply(this, args);
  // Both belong to the attempt that has just started. Once that attempt has ended, `connectError` does nothing.
  const { connectError, transport } = this;
  void transport.closed().then((error) => {
    setTimeout(() => connectError?.(error ?? new Error('the server closed the connection')), LAST_WORDS_MS);
  });
  return dialled;
}

/**
 * Makes the client notice when a server hangs up during a handshake, for example because the server was killed.
 * Otherwise the client would wait until the attempt times out. In those seconds a member could lose its leases. Can be
 * called more than once.
 */
export function noticeHangUps(): void {
  ProtocolHandler.prototype.dial = dialUntilHungUp;
}
