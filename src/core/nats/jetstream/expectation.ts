import type { Msg } from 'nats';
import { subjectMatcher } from '../../protocol/subject.js';
import type { DeliveryInfo } from './delivery.js';

/** The server adds it to a message without its payload: the payload's size. */
const SIZE_HEADER = 'Nats-Msg-Size';

/** What a reader was created to deliver. */
export interface Wanted {
  filter: string;
  /** The sequence before the first wanted one. */
  after: number;
  /** A message that is stored without a payload, whatever its headers say. */
  emptyAt?: number | undefined;
}

/**
 * What is wrong with a delivery. `isForeign`: another client changed the consumer, or created another one with its
 * name.
 */
export interface Unexpected {
  reason: string;
  isForeign: boolean;
  /** Its payload is missing. */
  withoutPayload?: number;
}

const foreign = (reason: string): Unexpected => ({ reason, isForeign: true });

/**
 * What the next delivery of a consumer must be. A client that may create consumers on a stream can also change those of
 * others, so that they deliver other subjects, or no payloads.
 */
export class Expectation {
  readonly #wanted: Wanted;
  /** Whether a subject is wanted; undefined: all are. */
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

  /** How many deliveries it has taken. */
  get taken(): number {
    return this.#consumerSequence;
  }

  /** Takes the next delivery; returns what is wrong with it. */
  take(message: Msg, delivery: DeliveryInfo): Unexpected | undefined {
    const { consumerSequence, streamSequence } = delivery;
    if (consumerSequence !== this.#consumerSequence + 1)
      return { reason: `gap after ${this.#consumerSequence} deliveries`, isForeign: false };
    // Another consumer of this name, or a recreated stream: its sequences differ.
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

  /** A publisher may have set the header as well: the server's comes last. */
  #lacksPayload({ headers }: Msg, sequence: number): boolean {
    return Number(headers?.last(SIZE_HEADER)) > 0 && sequence !== this.#wanted.emptyAt;
  }
}
