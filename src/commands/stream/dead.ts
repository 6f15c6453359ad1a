import { connectionFlags } from '../../cli/base-command.js';
import { letterArgs, lettersOf, namedLetters, noLetters, parseLetters } from '../../cli/dead-letters.js';
import { forceFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { prose } from '../../cli/prose.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { countOf } from '../../core/lib/units.js';
import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import { describeLetter, formatLetter, fullLetterJson, letterJson } from '../../text/dead-letter-lines.js';

/** `natspoc stream dead`: lists, shows and deletes dead letters. */
export default class StreamDead extends StreamCommand {
  static override summary = 'List dead letters, show some of them in full, or drop them.';
  static override description =
    prose(`"consume --on-failure dead-letter" stores failed messages in the stream STREAM_dead. Without arguments this command
lists these dead letters, oldest first; with numbers from the list it shows those letters with their error, headers and payload.
"stream redrive" publishes dead letters again. --drop deletes dead letters for good; the messages themselves stay in their stream, and
are not handled again. With --group the command uses only the letters of this group; a stream that only keyed groups read needs
--group.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    { description: 'Show one dead letter in full:', command: '<%= config.bin %> <%= command.id %> 12' },
    {
      description: 'The dead letters of a group:',
      command: '<%= config.bin %> <%= command.id %> --group billing',
    },
    {
      description: 'Drop two dead letters:',
      command: '<%= config.bin %> <%= command.id %> 12 15 --drop --yes',
    },
  ];
  static override strict = false;
  static override args = letterArgs;
  static override flags = {
    drop: Flags.boolean({ description: 'delete the named dead letters' }),
    force: forceFlag,
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(StreamDead);
    const only = parseLetters(argv);
    if (flags.drop && !only) {
      throw new NatspocError(
        'usage',
        '--drop needs the numbers of dead letters, as in "stream dead 12 --drop".',
      );
    }
    await this.withStream(flags, 'stream dead', async (session) => {
      if (!only) return this.#list(session, flags.json);
      const letters = await namedLetters(session, only);
      if (flags.drop) await this.#drop(session, letters, flags);
      else await this.#show(session, letters, flags.json);
    });
  }

  async #list(session: StreamSession, json: boolean): Promise<void> {
    const others = new Set<string>();
    let shown = 0;
    for await (const letter of lettersOf(session, others)) {
      shown++;
      if (json) this.writeJson(letterJson(letter));
      else this.writeLines([describeLetter(letter)]);
    }
    if (shown === 0) this.note(noLetters(session, others));
  }

  async #show({ stream }: StreamSession, letters: readonly FoundLetter[], json: boolean): Promise<void> {
    for (const [i, letter] of letters.entries()) {
      const original = await stream.originalOf(letter);
      if (json) this.writeJson(fullLetterJson(letter, original));
      else this.writeLines([...(i > 0 ? [''] : []), ...formatLetter(letter, original)]);
    }
  }

  async #drop(
    { stream, config }: StreamSession,
    letters: readonly FoundLetter[],
    { force, json }: { force: boolean; json: boolean },
  ): Promise<void> {
    const what = countOf(letters.length, 'dead letter');
    await this.confirm({
      consequences: [`Deletes ${what} for good (${letters.map(({ sequence }) => sequence).join(', ')}).`],
      name: config.stream,
      force,
      flag: '--yes',
    });
    for (const letter of letters) await stream.dropDeadLetter(letter);
    if (json) this.writeJson({ dropped: letters.map(({ sequence }) => sequence) });
    else this.writeLines([`${what} dropped`]);
  }
}
