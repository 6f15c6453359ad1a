/**
 * The parts of oclif that commands need, imported one by one: its index also loads files for version comparison and drawing (half as many
 * again), which would slow down every start.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { CLIError } from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
