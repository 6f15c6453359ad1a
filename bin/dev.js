#!/usr/bin/env node
// Runs the sources without a build. The folder src/commands is passed to oclif, because oclif's own loading of
// TypeScript does not work with TypeScript 7.
import { register } from 'tsx/esm/api';

register();
await import('../src/cli/quiet-oclif.ts');
const { run } = await import('../src/cli/main.ts');
await run(import.meta.url, { commands: './src/commands' });
