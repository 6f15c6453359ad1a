import type { Msg } from 'nats';
import { subjectMatcher } from '../../protocol/subject.js';
import type { DeliveryInfo } from './delivery.js';

/** The size of the payload. The server adds this header to a message that it delivers without its payload. */
const SIZE_HEADER = 'Nats-Msg-Size';

/** What a reader was created to deliver. */
export interface Wanted {
  filter: string;
  /** The sequence before the first wanted message. */
  after: number;
  /** A message that is stored without a payload, whatever its headers say. */
  emptyAt?: number | undefined;
  /** True: messages without their payloads. */
  headersOnly?: boolean | undefined;
}

/**
 * What is wrong with a delivery. `isForeign`: another client changed the consumer, or created another consumer with its
 * name.
 */
export interface Unexpected {
  reason: string;
  isForeign: boolean;
  /** The sequence of the message, if its payload is missing. */
  withoutPayload?: number;
}

const foreign = (reason: string): Unexpected => ({ reason, isForeign: true });

/**
 * Checks that the next delivery of a consumer is the expected one. A client that may create consumers on a stream can also
 * change the consumers of other clients, so that they deliver other subjects, or no payloads.
 */
export class Expectation {
  readonly #wanted: Wanted;
  /** True for a wanted subject; undefined if all are wanted. */
  readonly #isWanted: ((subject: string) => boolean) | undefined;
  #consumerSequence = 0;
  #streamSequence: number;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    const { filter } = wanted;
    if (filter !== '>')
      this.#isWanted = /[*>]/.test(filter) ? subjectMatcher(filter) : (subject) => subject === filter;
    this.#streamSequence = wanted.after;
  }

  /** Number of deliveries taken. */
  get taken(): number {
    return this.#consumerSequence;
  }

  /** Takes the next delivery; returns what is wrong with it. */
  take(message: Msg, delivery: DeliveryInfo): Unexpected | undefined {
    const { consumerSequence, streamSequence } = delivery;
    if (consumerSequence !== this.#consumerSequence + 1)
      return { reason: `gap after ${this.#consumerSequence} deliveries`, isForeign: false };
    // The consumer is another one of this name, or the stream was recreated: the sequences differ.
    if (streamSequence <= this.#streamSequence)
      return foreign(`its reader delivers sequence ${streamSequence} after ${this.#streamSequence}`);
    if (this.#isWanted?.(message.subject) === false)
      return foreign(`its reader delivers messages of ${message.subject}`);
    if (message.data.length === 0 && this.#lacksPayload(message, streamSequence)) {
      const reason = `its reader delivers message ${streamSequence} without its payload`;
      return { ...foreign(reason), withoutPayload: streamSequence };
    }
    this.#consumerSequence = consumerSequence;
    this.#streamSequence = streamSequence;
    return undefined;
  }

  /** Reads the last value, the server's, because a publisher may have set the header as well. */
  #lacksPayload({ headers }: Msg, sequence: number): boolean {
    const { emptyAt, headersOnly } = this.#wanted;
    return !headersOnly && Number(headers?.last(SIZE_HEADER)) > 0 && sequence !== emptyAt;
  }
}
