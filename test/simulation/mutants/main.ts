/**
 * `npm run simulate:mutants -- [--seeds N] [--from SEED] [--only NAME]` applies each deliberate mistake. It prints what catches the
 * mistake: an invariant and the number of seeds, or a test.
 */
import { parseArgs } from 'node:util';
import { isShownBy } from './by-test.js';
import type { Mutant } from './mutant.js';
import { hunt } from './mutate.js';
import { MUTANTS } from './registry.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [count, from] = [Number(values.seeds), Number(values.from)];
const chosen = MUTANTS.filter(({ name }) => values.only === undefined || name === values.only);
const waiting = [...chosen];
const survivors: string[] = [];

/** Errors of the JavaScript engine. If a mistake makes the code crash at once, it proves nothing about the judge. */
const BROKEN_CODE = /is not defined|is not a function|is not iterable|Cannot (read|set) properties/;

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    if (mutant.shownBy) {
      const isShown = await isShownBy(mutant.shownBy, mutant);
      if (!isShown) survivors.push(mutant.name);
      report(mutant, isShown ? 'a test fails' : 'NOT CAUGHT', mutant.shownBy.title);
      continue;
    }
    const { failed } = await hunt(mutant, from, count);
    const violation = failed?.violation;
    const isBroken = violation?.invariant === 'ended' && BROKEN_CODE.test(violation.message);
    if (!violation || isBroken) survivors.push(mutant.name);
    const verdict = isBroken
      ? 'BROKEN'
      : violation
        ? `${violation.invariant} after ${failed.seed - from + 1} seeds`
        : 'NOT CAUGHT';
    report(mutant, verdict, violation?.message.split('\n')[0]);
  }
}

function report({ name, mistake }: Mutant, verdict: string, shown?: string): void {
  console.log(`${name.padEnd(26)} ${verdict.padEnd(24)} ${mistake}`);
  if (shown !== undefined) console.log(`${' '.repeat(26)} ${shown}`);
}

// Two at a time, one for each core of a small machine.
await Promise.all([work(), work()]);
console.log(
  survivors.length === 0
    ? `all ${chosen.length} mistakes caught`
    : `${survivors.length} of ${chosen.length} mistakes not caught: ${survivors.join(', ')}`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;
