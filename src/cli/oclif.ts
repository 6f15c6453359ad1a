/**
 * The parts of oclif that commands need, imported one by one. oclif's index would also load modules for comparing versions and for drawing.
 * The index would increase the number of loaded files by half, and slow down every start.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { CLIError } from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
