import type { NatspocError } from '../../src/core/lib/errors.js';
import type {
  OpenPublishPort,
  PublishPort,
  PublishPortEvents,
  Rejection,
} from '../../src/core/ports/publishing.js';

interface Sent {
  subject: string;
  token: number;
  headers: string;
  id: string | undefined;
  data: string;
}

export interface Stored {
  subject: string;
  headers: string;
  id: string | undefined;
  data: string;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/**
 * A stream behind one connection, driven step by step. Like a real stream, it handles the messages of a connection in order. A break loses
 * the last sent messages and the last answers.
 */
export class ModelStream {
  readonly stored: Stored[] = [];
  maxPayload = 1_000;
  #events: PublishPortEvents | undefined;
  #up = true;
  #sent: Sent[] = [];
  #answers: (() => void)[] = [];
  #refusals: Rejection[] = [];
  closed = false;
  /** The next attempts to send throw these errors. */
  readonly throws: Error[] = [];

  readonly open: OpenPublishPort = (events): PublishPort => {
    this.#events = events;
    const model = this;
    return {
      get maxPayload() {
        return model.maxPayload;
      },
      send: (subject, token, headers, data) => {
        if (!this.#up) return false;
        const error = this.throws.shift();
        if (error) throw error;
        const lines = headers ? text(headers) : '';
        const id = /Nats-Msg-Id: (.*)\r\n/.exec(lines)?.[1];
        this.#sent.push({ subject, token, headers: lines, id, data: text(data) });
        return true;
      },
      close: () => {
        this.closed = true;
      },
    };
  };

  /** How many messages were sent but not handled. A message that was sent twice counts once. */
  get inTransit(): number {
    return new Set(this.#sent.map(({ token }) => token)).size;
  }

  /** Handles at most `count` messages. Each is stored or refused, and its answer is prepared. */
  handle(count = Number.POSITIVE_INFINITY): void {
    for (const message of this.#sent.splice(0, Math.min(count, this.#sent.length))) this.#handleOne(message);
  }

  answer(count = Number.POSITIVE_INFINITY): void {
    for (const give of this.#answers.splice(0, Math.min(count, this.#answers.length))) give();
  }

  /** The stream refuses the next messages that it handles, each for one of these reasons. */
  refuse(...reasons: Rejection[]): void {
    this.#refusals.push(...reasons);
  }

  /** Loses sent messages, as if a leader died before it stored them. The connection stays up. */
  loseSent(count: number): void {
    this.#sent.splice(0, count);
  }

  loseAnswers(): void {
    this.#answers = [];
  }

  /**
   * Breaks the connection. With `notice` the client learns of it at once. Otherwise it learns of it later, or only after it has
   * reconnected.
   */
  break(notice: boolean): void {
    this.#up = false;
    this.#sent = [];
    this.#answers = [];
    if (notice) this.#events?.disconnected();
  }

  restore(): void {
    if (this.#up) return;
    this.#up = true;
    this.#events?.reconnected();
  }

  /** Reports that a subject is forbidden. Messages to it vanish. */
  deny(subject: string): void {
    this.#sent = this.#sent.filter((message) => message.subject !== subject);
    this.#events?.denied(subject);
  }

  end(error: NatspocError): void {
    this.#up = false;
    this.#events?.closed(error);
  }

  #handleOne({ subject, token, headers, id, data }: Sent): void {
    const refusal = this.#refusals.shift();
    if (refusal) {
      this.#answers.push(() => this.#events?.rejected(token, refusal));
      return;
    }
    const first = id === undefined ? -1 : this.stored.findIndex((other) => other.id === id);
    if (first < 0) this.stored.push({ subject, headers, id, data });
    const sequence = first < 0 ? this.stored.length : first + 1;
    this.#answers.push(() => this.#events?.confirmed(token, sequence, first >= 0));
  }
}
