import { Parser, State } from 'nats/lib/nats-base-client/parser.js';
import { messageOf } from '../../lib/errors.js';

/** What a connection of the client does with what arrives, as far as it is used here. */
interface Receiver {
  /** Ends the first attempt to connect; there is none once it is connected. */
  connectError?: (reason: Error) => void;
  transport?: { close?: (reason: Error) => Promise<void> };
}

const parse = Parser.prototype.parse;

/**
 * Reads what has arrived; what cannot be read, and a listener that throws, end the connection: the parser is in the middle of
 * something then.
 */
function parseOrHangUp(this: Parser, bytes: Uint8Array): void {
  try {
    parse.call(this, bytes);
  } catch (error) {
    const { connectError, transport }: Receiver = Object(this.dispatcher);
    // A message was read and is being handed on: what threw is a listener of the program around us.
    const isListener = this.state === State.MSG_PAYLOAD;
    if (isListener)
      process.emitWarning(`A NATS subscription's callback threw: ${messageOf(error)}`, 'natspoc');
    const reason = new Error(isListener ? 'a callback threw' : 'what answers there is no NATS server');
    if (connectError) connectError(reason);
    // As after a break: the client connects again.
    else void transport?.close?.(reason);
  }
}

/**
 * Makes the client end a connection on which it cannot read what arrives: something that does not speak the protocol, or a
 * version that is none. Its own answer is a stack on standard output, with what it has read in it, and a socket that stays open
 * and is not read any more. May be called again.
 */
export function hangUpOnGarbled(): void {
  Parser.prototype.parse = parseOrHangUp;
}
