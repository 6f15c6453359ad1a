import { setTimeout as sleep } from 'node:timers/promises';
import { BaseCommand, connectionFlags } from '../cli/base-command.js';
import { LONGEST_PERIOD, readFlag } from '../cli/flag.js';
import { configIn, readAccount } from '../cli/groups/account.js';
import { missingGroup } from '../cli/groups/missing-group.js';
import { Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import type { Config } from '../core/config/config.js';
import { duration } from '../core/config/parse.js';
import { SETTINGS, type SettingName } from '../core/config/settings.js';
import { NatspocError } from '../core/lib/errors.js';
import type { NatsConnection } from '../core/nats/client/connection.js';
import { findGroups } from '../core/nats/stream/existing-bucket.js';
import { type Selection, selectionOf } from '../text/complete-hints.js';
import { type Feed, LiveFeed } from '../top/feed.js';
import { LineView } from '../top/lines.js';
import { ReplayFeed } from '../top/replay-feed.js';
import { hintsOf } from '../top/screen/hints.js';
import { closeAtStop, display, openScreen } from '../top/show.js';
import { jsonSnapshot } from '../top/snapshot.js';
import { startRecording } from '../top/sources/recorder.js';
import { readRecording } from '../top/sources/recording.js';
import { textSnapshot } from '../top/text-snapshot.js';
import type { ScreenOptions } from '../top/ui/mount.js';

const DEFAULT_COLUMNS = 160;
/** The time between the two snapshots that a rate needs, in milliseconds. */
const SECOND_LOOK_MS = 1_000;

/** The settings of the flags, as environment variables for members that the screen starts. */
function settingsAsEnv(flags: Readonly<Record<string, unknown>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const key of Object.keys(SETTINGS) as SettingName[]) {
    const value = flags[SETTINGS[key].flag];
    if (typeof value === 'string' || typeof value === 'boolean') env[SETTINGS[key].env] = String(value);
  }
  return env;
}

/** `natspoc top`: shows a group live on a screen, or prints it as text or JSON. */
export default class Top extends BaseCommand {
  static override summary = 'Watch a group live: owners of partitions, health, recent events.';
  static override description =
    prose(`Shows partitions and their owners, members with rate, lag and memory, recent events with their times, and
the newest messages. You can release and pause partitions, retry or skip the messages that hold them up, stop, kill and start members,
read dead letters, and watch another group. Before each change the screen names the consequences and asks for confirmation. Press ? for
the keys.

The command polls the group once per interval while it runs, and causes no load after it has ended. Without a terminal, or
with TERM=dumb or CI set, it prints one snapshot as text. With INK_SCREEN_READER=true the command draws no screen: it prints a snapshot,
then a line for each change, and a new snapshot when you press Enter. NO_COLOR is respected.

Exit codes of --once and --json: 0 a group was shown, healthy or not; 1 the stream or bucket does not exist; 3 cannot
reach NATS; 4 not permitted.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    { description: 'One snapshot as text:', command: '<%= config.bin %> <%= command.id %> --once' },
    {
      description: 'For scripts, a line of JSON every second:',
      command: '<%= config.bin %> <%= command.id %> --json | jq .health',
    },
    {
      description: 'Record all events, and replay them later without a server:',
      command: '<%= config.bin %> <%= command.id %> --record incident.ndjson.gz',
    },
    '<%= config.bin %> <%= command.id %> --replay incident.ndjson.gz',
  ];

  static override flags = {
    once: Flags.boolean({ description: 'print one snapshot and exit' }),
    interval: Flags.string({ description: 'how often to poll', default: '1s', helpValue: 'DURATION' }),
    readonly: Flags.boolean({ description: 'disable all keys that would change the group or the stream' }),
    record: Flags.string({
      description: 'record everything to a new file, compressed, up to 256 MiB of events',
      helpValue: 'FILE',
    }),
    replay: Flags.string({
      description: 'show a recording; needs no server',
      helpValue: 'FILE',
      exclusive: ['record'],
    }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Top);
    const intervalMs = readFlag('interval', flags.interval, duration('100ms', LONGEST_PERIOD, '1s'));
    // The reader has closed the pipe.
    process.stdout.on('error', () => process.exit(0));
    const stop = this.stopSignal();
    const selection = selectionOf(flags);
    const screen = {
      intervalMs,
      readonly: flags.readonly,
      env: { ...process.env, ...settingsAsEnv(flags) },
      selection,
    };
    const shown = flags.json || flags.once ? 'once' : display();

    if (flags.replay !== undefined) {
      const feed = new ReplayFeed(await readRecording(flags.replay));
      if (shown === 'screen') return this.#open(feed, { ...screen, readonly: true }, stop);
      if (shown === 'lines') return this.#read(feed, screen, stop);
      feed.finish();
      return this.#print(feed, selection, flags.json);
    }
    const config = this.loadSettings(flags);
    const connection = await this.connect(config, 'top');
    const recorder = flags.record === undefined ? undefined : await startRecording(flags.record);
    const feed = new LiveFeed(connection, config, recorder, {
      groups: () => readAccount(connection, config),
      configOf: (stream, group) => configIn(config, stream, group),
    });
    try {
      if (config.given.has('group') && config.place('group') === '--group')
        await refuseMissing(connection, config);
      if (shown === 'screen') await this.#open(feed, screen, stop);
      else if (shown === 'lines') await this.#read(feed, screen, stop);
      else {
        if (flags.json && !flags.once) await this.#follow(feed, screen, stop);
        else {
          await this.#look(feed);
          this.#print(feed, selection, flags.json);
        }
        process.exitCode = feed.failure?.exitCode ?? 0;
      }
    } finally {
      feed.stop();
      await recorder?.close();
      await connection.close();
    }
  }

  /** Shows the screen until the user quits. */
  async #open(feed: Feed, options: ScreenOptions, stop: AbortSignal): Promise<void> {
    const screen = await openScreen(feed, options, { stop, crash: this.crash });
    await screen.closed;
  }

  /** Prints a line for each event until the user quits. */
  async #read(feed: Feed, { intervalMs, selection }: ScreenOptions, stop: AbortSignal): Promise<void> {
    const view = new LineView(feed, { input: process.stdin, output: process.stdout }, selection);
    view.open(intervalMs);
    closeAtStop(view, stop);
    await view.closed;
  }

  /**
   * Takes two snapshots, so that rates are known.
   *
   * @throws NatspocError `unreachable` if the connection is lost before the first snapshot.
   */
  async #look(feed: LiveFeed): Promise<void> {
    if (!(await feed.roundOrLost())) {
      const looking = `read the state of stream ${feed.model.target?.stream}`;
      throw new NatspocError('unreachable', `Could not ${looking}: the connection to NATS was lost.`);
    }
    if (feed.model.missing !== null) return;
    await sleep(SECOND_LOOK_MS);
    await feed.round();
  }

  async #follow(feed: LiveFeed, { intervalMs, selection }: ScreenOptions, stop: AbortSignal): Promise<void> {
    await this.#look(feed);
    while (!stop.aborted) {
      this.#print(feed, selection, true);
      await sleep(intervalMs, undefined, { signal: stop }).catch(() => {});
      await feed.round();
    }
  }

  #print(feed: Feed, selection: Selection, json: boolean): void {
    const { model } = feed;
    const hints = hintsOf(feed, selection);
    if (json) this.writeJson(jsonSnapshot(model, hints));
    else process.stdout.write(textSnapshot(model, process.stdout.columns ?? DEFAULT_COLUMNS, hints));
  }
}

/**
 * Throws if the stream has groups, but not the named group. Otherwise the screen waits for the group.
 *
 * @throws NatspocError `group-missing`.
 */
async function refuseMissing(connection: NatsConnection, config: Config): Promise<void> {
  try {
    const known = await findGroups(connection, config);
    if (known.length > 0 && !known.includes(config.group)) throw missingGroup(config, config.group, known);
  } catch (error) {
    // The screen waits for a stream that does not exist yet.
    if (!(error instanceof NatspocError) || error.code !== 'stream-missing') throw error;
  }
}
