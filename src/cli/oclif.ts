/**
 * The parts of oclif that commands need, imported one by one: its index loads half as many files again (version comparison,
 * drawing), which would slow down every start.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { CLIError } from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
