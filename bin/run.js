#!/usr/bin/env node
import { existsSync } from 'node:fs';

// In a clone the code is missing until it has been built.
if (!existsSync(new URL('../dist/cli/main.js', import.meta.url))) {
  process.stderr.write('Error: natspoc is not built. Run "npm run build" in its folder.\n');
  process.exit(1);
}
await import('../dist/cli/quiet-oclif.js');
const { run } = await import('../dist/cli/main.js');

await run(import.meta.url);
