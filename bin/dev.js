#!/usr/bin/env -S node --import tsx
// Runs the sources as they are, without a build. oclif is pointed at src/commands here because its own
// TypeScript loading does not work with TypeScript 7.
import { run } from '../src/cli.ts';

await run(import.meta.url, { commands: './src/commands' });
