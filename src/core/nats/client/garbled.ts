import { Parser, State } from 'nats/lib/nats-base-client/parser.js';
import { messageOf } from '../../lib/errors.js';

/** The fields of the parser's dispatcher that are used here. The dispatcher receives the parsed messages. */
interface Receiver {
  /** Ends the first attempt to connect; absent after the connection is established. */
  connectError?: (reason: Error) => void;
  transport?: { close?: (reason: Error) => Promise<void> };
}

const parse = Parser.prototype.parse;

/**
 * Parses received bytes. After unreadable bytes or an exception in a listener, the parser's state is undefined. The connection is then
 * closed.
 */
function parseOrHangUp(this: Parser, bytes: Uint8Array): void {
  try {
    parse.call(this, bytes);
  } catch (error) {
    const { connectError, transport }: Receiver = Object(this.dispatcher);
    // In the state MSG_PAYLOAD, the parser is delivering a parsed message, so a listener of the program threw.
    const isListener = this.state === State.MSG_PAYLOAD;
    if (isListener)
      process.emitWarning(`A NATS subscription's callback threw: ${messageOf(error)}`, 'natspoc');
    const reason = new Error(isListener ? 'a callback threw' : 'the server there does not speak NATS');
    if (connectError) connectError(reason);
    // The client then reconnects, as after any broken connection.
    else void transport?.close?.(reason);
  }
}

/**
 * Makes the client close a connection whose bytes it cannot read, for example bytes of another protocol. By default the client prints a
 * stack trace with the unreadable bytes to standard output, and stops reading the open socket.
 */
export function hangUpOnGarbled(): void {
  Parser.prototype.parse = parseOrHangUp;
}
