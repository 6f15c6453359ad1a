import { connectionFlags } from '../../cli/base-command.js';
import {
  groupOf,
  letterArgs,
  lettersOf,
  missingLetters,
  namedLetters,
  noLetters,
  parseLetters,
} from '../../cli/dead-letters.js';
import { countFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { countOf, formatCount } from '../../core/lib/units.js';
import { describeLetter, letterJson } from '../../text/dead-letter-lines.js';

/** `natspoc stream redrive`: publishes dead letters to their partitions again. */
export default class StreamRedrive extends StreamCommand {
  static override summary = 'Publish dead letters to their partitions again.';
  static override description =
    prose(`"consume --on-failure dead-letter" stores failed messages in the stream STREAM_dead. This command
publishes these messages again, oldest first, with their keys and headers, and deletes each dead letter after the stream has
confirmed the message. Every group of the stream receives the message again, after all messages that are already
stored. With --dry-run the command only lists the dead letters.`);
  static override examples = [
    { description: 'List the dead letters:', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    '<%= config.bin %> <%= command.id %>',
    { description: 'Only two dead letters:', command: '<%= config.bin %> <%= command.id %> 12 15' },
    {
      description: 'Ten dead letters of one group:',
      command: '<%= config.bin %> <%= command.id %> --group billing --count 10',
    },
  ];
  static override strict = false;
  static override args = letterArgs;
  static override flags = {
    count: countFlag({ description: 'use at most this many dead letters', min: 1, helpValue: 'N' }),
    'dry-run': Flags.boolean({ description: 'only list the dead letters, like "stream dead"' }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(StreamRedrive);
    const only = parseLetters(argv);
    const isDry = flags['dry-run'];
    await this.withStream(
      flags,
      'redrive',
      (session) => (isDry ? this.#list(session, flags, only) : this.#redrive(session, flags, only)),
      isDry ? [] : ['publish'],
    );
  }

  async #list(
    session: StreamSession,
    { json, count }: { json: boolean; count?: number | undefined },
    only: ReadonlySet<number> | undefined,
  ): Promise<void> {
    let shown = 0;
    const others = new Set<string>();
    for await (const letter of only ? await namedLetters(session, only) : lettersOf(session, others)) {
      if (count !== undefined && shown >= count) break;
      shown++;
      if (json) this.writeJson(letterJson(letter));
      else this.writeLines([describeLetter(letter)]);
    }
    if (shown === 0) this.note(noLetters(session, others));
  }

  async #redrive(
    session: StreamSession,
    { json, count }: { json: boolean; count?: number | undefined },
    only: ReadonlySet<number> | undefined,
  ): Promise<void> {
    const { config, stream } = session;
    const summary = await stream.redrive({
      only,
      group: groupOf(config),
      count,
      signal: this.stopSignal(),
      onRedriven: (letter, sequence) => {
        if (!json) this.note(`p${letter.partition}: message ${letter.from} published again as #${sequence}`);
      },
      onKept: (letter, reason) => {
        this.note(`dead letter ${letter.sequence} (p${letter.partition} ${letter.from}) stays: ${reason}`);
      },
    });
    const { redriven, left, kept, missing } = summary;
    if (json) {
      this.writeJson(summary);
      if (missing.length + kept > 0) process.exitCode = 1;
      return;
    }
    const none = redriven + left + kept === 0 ? ': there are no dead letters' : '';
    const others = left > 0 ? `, ${formatCount(left)} left where they are` : '';
    this.writeLines([`${formatCount(redriven)} put back${none}${others}`]);
    if (missing.length > 0) throw missingLetters(session, missing);
    if (kept > 0) {
      throw new NatspocError(
        'failed',
        `${countOf(kept, 'dead letter')} could not be put back; see above. None is lost.`,
      );
    }
  }
}
