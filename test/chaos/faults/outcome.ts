import type { CliExit } from '../../support/cli.js';

/** The outcome of a command in a few words. */
export const outcomeOf = ({ code, stderr }: CliExit): string =>
  code === 0 ? 'done' : `exit code ${code}: ${stderr.split('\n')[0] ?? ''}`;
