#!/usr/bin/env node
import '../dist/cli/quiet-oclif.js';
import { run } from '../dist/cli/main.js';

await run(import.meta.url);
