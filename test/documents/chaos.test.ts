import assert from 'node:assert/strict';
import { CHARGES } from '../chaos/judging/violation.js';
import { FAULT_KINDS } from '../chaos/recording/records.js';
import { readProject } from './blocks.js';

describe('the page about chaos runs', () => {
  const page = readProject('docs/chaos.md');

  /** The names in the first column of the table below a heading. */
  const namesBelow = (heading: string): string[] => {
    const [, section = ''] = new RegExp(`^## ${heading}\\n(.*?)(?=^## )`, 'ms').exec(page) ?? [];
    const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell);
    return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  };

  it('the page about chaos runs describes every kind of fault, and no others', () => {
    assert.deepEqual(namesBelow('Faults').sort(), [...FAULT_KINDS].sort());
  });

  it('the page about chaos runs describes every charge, and no others', () => {
    assert.deepEqual(namesBelow('Judgement').sort(), Object.keys(CHARGES).sort());
  });
});
