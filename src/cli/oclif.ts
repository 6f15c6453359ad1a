/**
 * The parts of oclif that commands need, imported one by one. The index of oclif would also load modules that compare versions and draw:
 * half as many files again, which would slow down every start.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export { CLIError } from '@oclif/core/errors';
export * as Flags from '@oclif/core/flags';
