import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { Random } from '../../simulation/model/random.js';
import { type Cli, type CliExit, startCli } from '../../support/cli.js';
import { startPlainPublisher } from '../../support/group-run.js';
import { payloadLine } from './payload.js';

/** Options of the traffic. */
export interface TrafficOptions {
  seed: number;
  /** Messages per second. */
  rate: number;
  keys: number;
  /** The longest padding of a message, in characters. */
  mostPadding: number;
  urls: string;
  confirmedFile: string;
  /** Further arguments of `natspoc publish`. */
  args: readonly string[];
  /** If set, a plain client publishes to `<stream>.<key>.<kind>` instead. Its group is keyed and has this number of partitions. */
  keyed?: { stream: string; partitions: number } | undefined;
  nodeArgs: readonly string[];
}

/** The publisher of a run. */
export interface Publisher {
  readonly publisher: Cli;
  readonly exited: Promise<CliExit>;
  /** Stops the publisher. Resolves when all sent messages are confirmed or the publisher has given up. */
  stop(): Promise<CliExit>;
}

/** Starts the publisher of a run. */
export function startPublisher(options: TrafficOptions): Publisher {
  const { keyed, urls: server, confirmedFile: confirmed, rate, keys, mostPadding: padding, seed } = options;
  if (!keyed) return new Traffic(options);
  const { stream: prefix, partitions } = keyed;
  const publisher = startPlainPublisher({ server, prefix, partitions, rate, confirmed, keys, padding, seed });
  const { exited } = publisher;
  const stop = (): Promise<CliExit> => {
    publisher.signal('SIGINT');
    return exited;
  };
  return { publisher, exited, stop };
}

/**
 * Sends numbered messages through a pipe to a real `natspoc publish`. Each message gets an id, so resent messages are stored once. The
 * command waits up to two minutes for each confirmation.
 */
class Traffic implements Publisher {
  readonly publisher: Cli;
  readonly #feeding: Promise<void>;
  #stopped = false;

  constructor(options: TrafficOptions) {
    const { rate, urls, confirmedFile, args } = options;
    this.publisher = startCli(
      [
        ...['publish', '-', '--key-field', 'key', '--rate', String(rate), '--dedupe'],
        ...[
          '--ordered',
          '--quiet',
          '--timeout',
          '2m',
          '--confirmed',
          confirmedFile,
          '--server',
          urls,
          ...args,
        ],
      ],
      { stdin: 'pipe', nodeArgs: options.nodeArgs },
    );
    this.#feeding = this.#feed(new Random(options.seed), options);
  }

  get exited(): Promise<CliExit> {
    return this.publisher.exited;
  }

  async stop(): Promise<CliExit> {
    this.#stopped = true;
    this.publisher.signal('SIGINT');
    const exit = await this.publisher.exited;
    await this.#feeding;
    return exit;
  }

  async #feed(random: Random, { keys, mostPadding }: TrafficOptions): Promise<void> {
    const padding = 'x'.repeat(mostPadding);
    const input: Writable | null = this.publisher.child.stdin;
    if (!input) return;
    // Occurs when the publisher ends. Its exit code tells why.
    input.on('error', () => {});
    let number = 0;
    while (!this.#stopped && !input.destroyed) {
      const line = payloadLine(
        `k${random.int(0, keys - 1)}`,
        ++number,
        padding.slice(0, random.int(0, mostPadding)),
      );
      if (!input.write(`${line}\n`)) {
        await Promise.race([once(input, 'drain'), this.publisher.exited]).catch(() => {});
      }
    }
    input.destroy();
  }
}
