/**
 * The parts of oclif that commands are made of, one by one: its index loads half as many files again, to compare version
 * numbers and to draw, and every process would pay for that at its start.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export * as Flags from '@oclif/core/flags';
