/** The parts of oclif that commands need. oclif's index would load half as many files again, and slow down every start. */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { CLIError } from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
