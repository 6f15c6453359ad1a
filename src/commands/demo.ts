import { BaseCommand } from '../cli/base-command.js';
import { serverEnvironment } from '../cli/dotenv.js';
import { LONGEST_PERIOD, readFlag } from '../cli/flag.js';
import { Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import type { Config } from '../core/config/config.js';
import { duration } from '../core/config/parse.js';
import { SETTINGS } from '../core/config/settings.js';
import { NatspocError } from '../core/lib/errors.js';
import { formatCount, formatDuration } from '../core/lib/units.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { runDemo } from '../local/demo/demo.js';
import type { Verdict } from '../local/demo/judge.js';
import type { DemoResult } from '../local/demo/scenario.js';
import { selectionOf } from '../text/complete-hints.js';
import { partitionList } from '../text/partition-list.js';
import { display, openScreen } from '../top/show.js';

/** How often the screen is refreshed. */
const LOOK_EVERY_MS = 500;

/** The events of the demo, each with the time since its start. While a screen is open, the lines are held back. */
class Story {
  readonly #write: (line: string) => void;
  readonly #startedAt = performance.now();
  #screen: { tell(text: string): void } | undefined;
  #held: string[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  tell(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5);
    const detail = line.startsWith(' ');
    const text = detail ? `       ${line}` : `${seconds} s  ${line}`;
    if (this.#screen) this.#held.push(text);
    else this.#write(text);
    // The screen itself shows which member got which partitions.
    if (!detail) this.#screen?.tell(text.trim());
  }

  /** Shows all later lines on this screen. {@link finish} prints them. */
  showOn(screen: { tell(text: string): void }): void {
    this.#screen = screen;
  }

  /** Prints the lines that were held back, after the screen was closed. */
  finish(): void {
    this.#screen = undefined;
    for (const line of this.#held.splice(0)) this.#write(line);
  }
}

/** `natspoc demo`: a group at work on a private server, with a verdict. */
export default class Demo extends BaseCommand {
  static override summary =
    'See a group at work: a server, members, a join, a leave, a kill -9, and a verdict.';
  static override description =
    prose(`Starts a NATS server on a free port, members that share the partitions, and a
publisher of keyed, numbered messages. Then one more member joins, one leaves and one is killed; with --servers 3 the
server that leads the stream is killed as well. At the end the demo compares all confirmed messages with the messages that the members
handled. The demo leaves no files and no processes behind.

On a terminal the demo shows the screen of "natspoc top" with each event of the demo, and prints all events at the end.

Exit code 5: a message was lost or out of order.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'A larger group:',
      command: '<%= config.bin %> <%= command.id %> --consumers 6 --partitions 24 --rate 2000 --duration 40s',
    },
    {
      description: 'On a cluster of three servers, one of which is killed:',
      command: '<%= config.bin %> <%= command.id %> --servers 3',
    },
    { description: 'For scripts:', command: '<%= config.bin %> <%= command.id %> --json | jq .takeovers' },
  ];
  static override flags = {
    servers: Flags.integer({
      description: 'NATS servers: 1, or a cluster of 3 or 5',
      default: 1,
      min: 1,
      max: 5,
      helpValue: 'N',
    }),
    consumers: Flags.integer({
      description: 'members at the start',
      default: 3,
      min: 2,
      max: 50,
      helpValue: 'N',
    }),
    partitions: Flags.integer({
      description: 'partitions of the stream',
      default: 8,
      min: 1,
      max: 4096,
      helpValue: 'N',
    }),
    rate: Flags.string({ description: 'messages per second', default: '1000', helpValue: 'RATE' }),
    duration: Flags.string({
      description: 'how long to publish messages',
      default: '16s',
      helpValue: 'DURATION',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Demo);
    const rate = readFlag('rate', flags.rate, SETTINGS.rate);
    const durationMs = readFlag('duration', flags.duration, duration('1ms', LONGEST_PERIOD, '16s'));
    if (flags.servers % 2 === 0) {
      throw new NatspocError('usage', `--servers: a cluster has 3 or 5 servers, not ${flags.servers}.`);
    }
    const story = new Story((line) => this.#say(line));
    const quit = new AbortController();
    const signal = AbortSignal.any([this.stopSignal(), quit.signal]);
    const drawn = !flags.json && display() === 'screen';
    const { result, verdict } = await runDemo({
      servers: flags.servers,
      consumers: flags.consumers,
      partitions: flags.partitions,
      rate,
      rateText: flags.rate,
      durationMs,
      entry: process.argv[1] ?? '',
      env: process.env,
      serverEnv: serverEnvironment((line) => this.note(line)),
      tell: (line) => {
        if (!flags.json) story.tell(line);
      },
      ...(drawn && {
        show: async (connection: NatsConnection, config: Config) => {
          const { LiveFeed } = await import('../top/feed.js');
          const { server, stream, group } = config;
          const selection = selectionOf({ server: server.join(), stream, group });
          const options = { intervalMs: LOOK_EVERY_MS, readonly: true, env: process.env, selection };
          const feed = new LiveFeed(connection, config, undefined);
          const screen = await openScreen(feed, options, { stop: signal, crash: this.crash });
          story.showOn(screen);
          void screen.closed.then(() => quit.abort());
          return () => screen.close();
        },
      }),
      signal,
    }).finally(() => story.finish());
    if (flags.json) this.writeJson(result);
    else this.#print(result, verdict);
    if (!result.ok) process.exitCode = 5;
  }

  #say(line: string): void {
    this.writeLines([line]);
  }

  #print(result: DemoResult, verdict: Verdict): void {
    const row = (label: string, value: string): void => this.#say(`  ${label.padEnd(14)}${value}`);
    this.#say('');
    for (const { event, partitions, pauseMs } of result.takeovers) {
      const pause = pauseMs === null ? 'no traffic' : `longest pause ${formatDuration(pauseMs)}`;
      const moved =
        partitions.length > 0 ? `${partitions.length} moved (${partitionList(partitions)})` : 'none moved';
      row(event, `${moved}, ${pause}`);
    }
    this.#say('');
    row('published', formatCount(result.published));
    row('handled', formatCount(result.handled));
    row('lost', formatCount(result.lost));
    row(
      'duplicated',
      `${formatCount(result.duplicated)}${result.duplicated > 0 ? '  (handled before the kill, not yet committed)' : ''}`,
    );
    row('out of order', formatCount(result.outOfOrder));
    if (result.foreign > 0) row('not published', `${formatCount(result.foreign)}  (but handled)`);
    for (const sample of verdict.samples) this.#say(`  ! ${sample}`);
    this.#say('');
    this.#say(result.ok ? 'OK: nothing lost, everything in order.' : 'FAILED: see above.');
  }
}
