import type { Msg } from 'nats';
import { subjectMatcher } from '../../protocol/subject.js';
import type { DeliveryInfo } from './delivery.js';

/**
 * The header with the size of an omitted payload. The server adds this header to each message that it delivers without the
 * payload.
 */
const SIZE_HEADER = 'Nats-Msg-Size';

/** What a reader was created to deliver. */
export interface Wanted {
  filter: string;
  /** The sequence before the first wanted message. */
  after: number;
  /** The sequence of a message that is stored without a payload although a header announces a payload. */
  emptyAt?: number | undefined;
  /** True if the payloads are omitted. */
  headersOnly?: boolean | undefined;
}

/**
 * What is wrong with a delivery. `isForeign`: another client changed the consumer, or created another consumer with the same
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
 * Checks that each delivery of a consumer is the expected delivery. A client that may create consumers on a stream can also
 * change other clients' consumers, so that those consumers deliver other subjects or omit payloads.
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

  /** Checks and counts the next delivery. Returns the problem; undefined if the delivery is the expected delivery. */
  take(message: Msg, delivery: DeliveryInfo): Unexpected | undefined {
    const { consumerSequence, streamSequence } = delivery;
    if (consumerSequence !== this.#consumerSequence + 1)
      return { reason: `gap after ${this.#consumerSequence} deliveries`, isForeign: false };
    // Within one consumer, sequences only increase. A lower sequence shows that another client has replaced the consumer,
    // or that the stream was recreated.
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
   * True if the server omitted the payload. The last value of the header counts, because the server appends its value to a
   * value that the publisher may have set.
   */
  #lacksPayload({ headers }: Msg, sequence: number): boolean {
    const { emptyAt, headersOnly } = this.#wanted;
    return !headersOnly && Number(headers?.last(SIZE_HEADER)) > 0 && sequence !== emptyAt;
  }
}
