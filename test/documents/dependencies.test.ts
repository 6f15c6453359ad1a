import assert from 'node:assert/strict';
import { readProject } from './blocks.js';

interface Locked {
  version: string;
  license?: string;
}

describe('docs/dependencies.md', () => {
  it('docs/dependencies.md has a row for every dependency, with its version and licence, and no other rows', () => {
    const { dependencies, devDependencies } = JSON.parse(readProject('package.json')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const lock = JSON.parse(readProject('package-lock.json')) as { packages: Record<string, Locked> };
    const [runtime = '', development = ''] = readProject('docs/dependencies.md').split('## For development');
    const rows = (text: string) =>
      [...text.matchAll(/^\| `(\S+)` \| (\S+) \| [^|]*\| ([^|]+) \|/gm)].map(([, ...cells]) => cells);
    const wanted = (names: Record<string, string>) =>
      Object.keys(names).map((name) => {
        const { version, license = '' } = lock.packages[`node_modules/${name}`] ?? { version: 'none' };
        return [name, version, license.replace(' OR ', ' or ')];
      });
    const sorted = (list: string[][]) => list.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    assert.deepEqual(sorted(rows(runtime)), sorted(wanted(dependencies)));
    assert.deepEqual(sorted(rows(development)), sorted(wanted(devDependencies)));
  });
});
