// Writes the programs in dist. Node takes longer to load 250 small modules than to run most commands, so modules that are
// loaded together are one file. The client and the other packages stay outside.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const commands = readdirSync(join(root, 'src/commands'), { recursive: true, withFileTypes: true });

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: [
    'src/cli/quiet-oclif.ts',
    'src/cli/main.ts',
    'src/core/index.ts',
    'src/core/testing/index.ts',
    // The benchmarks construct members on their own connection.
    'src/core/member/group-member.ts',
    ...commands.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name)),
  ],
  absWorkingDir: root,
  outbase: 'src',
  outdir: dist,
  sourcemap: true,
  ...BUNDLING,
});
