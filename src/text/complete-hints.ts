import { PLAIN_WORD, shellWord } from '../core/lib/text.js';

/** The flags that select what a command works on. */
const SELECTING = ['server', 'context', 'stream', 'bucket', 'group'] as const;

/** The selecting flags of this process's command line, with their values. */
export type Selection = Partial<Record<(typeof SELECTING)[number], string>>;

/**
 * A quoted command in a message. A word of {@link shellWord} in the command may contain quotation marks. Commands without a
 * flag of {@link SELECTING} do not match.
 */
const COMMAND =
  /"natspoc ((?:consume|publish|leases|stream|groups delete|groups import)\b(?:\\'|'[^']*'|[^"'])*)"/g;
/** The commands that act on the group of `--group`. */
const OF_A_GROUP = /^(?:consume|leases|stream dead|stream redrive)\b/;

/** The selecting flags among parsed flags. URLs with credentials are left out. */
export function selectionOf(flags: Readonly<Record<string, unknown>>): Selection {
  const given: Selection = {};
  for (const name of SELECTING) {
    const value = flags[name];
    if (typeof value === 'string' && PLAIN_WORD.test(value)) given[name] = value;
  }
  return given;
}

/**
 * Adds the selecting flags to the commands that a message recommends. Without them, a copied command would act on the default stream and
 * group.
 */
export function completeHints(text: string, selection: Selection): string {
  return text.replaceAll(COMMAND, (_quoted, command: string) => {
    const added = SELECTING.filter((name) => name !== 'group' || OF_A_GROUP.test(command))
      .filter((name) => selection[name] !== undefined && !command.includes(`--${name}`))
      .map((name) => ` --${name} ${shellWord(selection[name] ?? '')}`);
    return `"natspoc ${command}${added.join('')}"`;
  });
}
