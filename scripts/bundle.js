// Writes the programs in dist. Node takes longer to load hundreds of small modules than to run most commands. So modules that are loaded
// together become one file.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const commands = readdirSync(join(root, 'src/commands'), { recursive: true, withFileTypes: true });
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Packages that nearly every command loads. They are bundled, because loading their 170 files took half of a command's run time. */
const CONTAINED = ['nats', '@oclif/core'];
const common = {
  absWorkingDir: root,
  outbase: 'src',
  outdir: join(root, 'dist'),
  sourcemap: true,
  ...BUNDLING,
};

rmSync(common.outdir, { recursive: true, force: true });
await build({
  entryPoints: [
    'src/core/index.ts',
    'src/core/testing/index.ts',
    // An entry point for the benchmarks, which create members on their own connection.
    'src/core/member/group-member.ts',
  ],
  ...common,
  chunkNames: 'core/shared/[name]-[hash]',
});
// Only the command line contains the NATS client: a program passes a connection of its own client to the library.
await build({
  entryPoints: [
    'src/cli/quiet-oclif.ts',
    'src/cli/main.ts',
    ...commands.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name)),
  ],
  ...common,
  packages: 'bundle',
  external: Object.keys(dependencies).filter((name) => !CONTAINED.includes(name)),
  // The bundled CommonJS packages call `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as natspocRequire } from 'node:module';const require = natspocRequire(import.meta.url);",
  },
});
