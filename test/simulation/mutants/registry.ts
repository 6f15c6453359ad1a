import { DATA } from './data.js';
import type { Mutant } from './mutant.js';
import { OWNERSHIP } from './ownership.js';
import { READING } from './reading.js';
import { RESIZING } from './resizing.js';
import { TIME } from './time.js';

/** All deliberate mistakes. Each must be caught. */
export const MUTANTS: readonly Mutant[] = [...TIME, ...OWNERSHIP, ...DATA, ...READING, ...RESIZING];
