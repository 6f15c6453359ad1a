import { messageOf } from '../lib/errors.js';
import { sparing, sparingly } from '../member/member-log.js';
import { describeBreak, describeReturn } from '../member/status-lines.js';
import { Publisher } from '../publisher/publisher.js';
import type { PublisherOptions } from '../publisher/publisher-options.js';
import type { PublishObserver } from '../publisher/types.js';
import type { GroupPublisher } from './group-publisher.js';
import { loggerOf } from './logger.js';
import type { CreatePublisherOptions } from './publisher.js';

/** The publisher options that a model supports too. */
export type PublisherProgram = Pick<
  CreatePublisherOptions,
  'maxPendingBytes' | 'dedupe' | 'ordered' | 'observer' | 'logger'
>;

/** A publisher for `await using`. `close` also closes a connection that was opened for the publisher. */
class ClosingPublisher extends Publisher implements GroupPublisher {
  readonly #onClose: () => Promise<void>;

  constructor(options: PublisherOptions, onClose: () => Promise<void>) {
    super(options);
    this.#onClose = onClose;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#onClose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Creates the publisher of a program.
 *
 * @param target the stream to publish to, and its limits.
 * @param close called when the publisher is closed.
 */
export function publisherOf(
  program: PublisherProgram,
  target: Omit<PublisherOptions, keyof PublisherProgram | 'observerFailed'>,
  close: () => Promise<void>,
): GroupPublisher {
  const { maxPendingBytes, dedupe, ordered } = program;
  const logger = sparing(loggerOf(program.logger));
  const observerFailed = (error: unknown): void =>
    logger.error(
      { event: 'observer', err: error },
      `the observer of a publisher failed: ${messageOf(error)}`,
    );
  const isDue = sparingly();
  let isBreakLogged = true;
  const observer: PublishObserver = {
    // Each message calls one of these, so for speed they are not wrapped.
    ...(program.observer?.confirmed && { confirmed: program.observer.confirmed.bind(program.observer) }),
    ...(program.observer?.failed && { failed: program.observer.failed.bind(program.observer) }),
    disconnected: (about) => {
      const text = describeBreak(about);
      isBreakLogged = isDue(text);
      if (isBreakLogged) logger.warn({ event: 'disconnected', ...about }, text);
      return program.observer?.disconnected?.(about);
    },
    reconnected: (about) => {
      if (isBreakLogged) logger.info({ event: 'reconnected', ...about }, describeReturn(about));
      return program.observer?.reconnected?.(about);
    },
  };
  return new ClosingPublisher(
    { ...target, maxPendingBytes, dedupe, ordered, observer, observerFailed },
    close,
  );
}
