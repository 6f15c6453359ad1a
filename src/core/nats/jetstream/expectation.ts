import type { Msg } from 'nats';
import { subjectMatcher } from '../../protocol/subject.js';
import type { DeliveryInfo } from './delivery.js';

/** If the server omits a payload, it adds this header with the payload's size. */
const SIZE_HEADER = 'Nats-Msg-Size';

/** What a reader was created to deliver. */
export interface Wanted {
  filter: string;
  /** The sequence before the first wanted message. */
  after: number;
  /** A message that is really stored without a payload, although it has the header of an omitted payload. */
  emptyAt?: number | undefined;
  headersOnly?: boolean | undefined;
}

/** What is wrong with a delivery. `isForeign`: another client changed or replaced the consumer. */
export interface Unexpected {
  reason: string;
  isForeign: boolean;
  /** The sequence of the message, if its payload is missing. */
  withoutPayload?: number;
}

const foreign = (reason: string): Unexpected => ({ reason, isForeign: true });

/**
 * Checks each delivery of a consumer. Another client that may create consumers can also change this one. For example, it
 * then delivers other subjects or omits payloads.
 */
export class Expectation {
  readonly #wanted: Wanted;
  /** True for a wanted subject; undefined if every subject is wanted. */
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

  /** Number of deliveries accepted so far. */
  get taken(): number {
    return this.#consumerSequence;
  }

  /** Checks and counts the next delivery. Returns the problem, if any. */
  take(message: Msg, delivery: DeliveryInfo): Unexpected | undefined {
    const { consumerSequence, streamSequence } = delivery;
    if (consumerSequence !== this.#consumerSequence + 1)
      return { reason: `gap after ${this.#consumerSequence} deliveries`, isForeign: false };
    // Sequences only increase. A lower sequence shows that the consumer was replaced or the stream was recreated.
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

  /**
   * True if the server omitted the payload. The last value of the header is the server's. An earlier value may come from
   * the publisher.
   */
  #lacksPayload({ headers }: Msg, sequence: number): boolean {
    const { emptyAt, headersOnly } = this.#wanted;
    return !headersOnly && Number(headers?.last(SIZE_HEADER)) > 0 && sequence !== emptyAt;
  }
}
