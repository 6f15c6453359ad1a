import type { Msg } from 'nats';
import type { DeliveryInfo } from './delivery.js';

/** The server puts it into a message whose payload it leaves out: what the payload's size would be. */
const SIZE_HEADER = 'Nats-Msg-Size';

/** What a reader was made to deliver. */
export interface Wanted {
  filter: string;
  /** The last sequence that is not wanted. */
  after: number;
  /** A message that is known to be stored without a payload, whatever its headers say. */
  emptyAt?: number | undefined;
}

/** What is wrong with a delivery. `isForeign`: another client has changed the consumer, or created another one of its name. */
export interface Unexpected {
  reason: string;
  isForeign: boolean;
  /** Its payload is missing. */
  withoutPayload?: number;
}

const foreign = (reason: string): Unexpected => ({ reason, isForeign: true });

/**
 * What the next delivery of a consumer must be. A client that may create consumers on a stream can also change those of
 * others: then they deliver other subjects, or no payloads.
 */
export class Expectation {
  readonly #wanted: Wanted;
  /** The only subject that is wanted; undefined: there are several. */
  readonly #subject: string | undefined;
  #consumerSequence = 0;
  #streamSequence: number;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#subject = /[*>]/.test(wanted.filter) ? undefined : wanted.filter;
    this.#streamSequence = wanted.after;
  }

  /** How many deliveries it has taken. */
  get taken(): number {
    return this.#consumerSequence;
  }

  /** Takes the next delivery; says what is wrong with it. */
  take(message: Msg, delivery: DeliveryInfo): Unexpected | undefined {
    const { consumerSequence, streamSequence } = delivery;
    if (consumerSequence !== this.#consumerSequence + 1)
      return { reason: `gap after ${this.#consumerSequence} deliveries`, isForeign: false };
    // Another consumer of the name, or a stream that was created again: its sequences start again, or are elsewhere.
    if (streamSequence <= this.#streamSequence)
      return foreign(`its reader delivers sequence ${streamSequence} after ${this.#streamSequence}`);
    if (this.#subject !== undefined && message.subject !== this.#subject)
      return foreign(`its reader delivers messages of ${message.subject}`);
    if (message.data.length === 0 && this.#lacksPayload(message, streamSequence)) {
      const reason = `its reader delivers message ${streamSequence} without its payload`;
      return { ...foreign(reason), withoutPayload: streamSequence };
    }
    this.#consumerSequence = consumerSequence;
    this.#streamSequence = streamSequence;
    return undefined;
  }

  /** A publisher may have set the header too: the server's comes last. */
  #lacksPayload({ headers }: Msg, sequence: number): boolean {
    return Number(headers?.last(SIZE_HEADER)) > 0 && sequence !== this.#wanted.emptyAt;
  }
}
