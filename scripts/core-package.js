// Packs natspoc-core: the library, built from the same sources, without the command line, oclif, Ink and React.
// It writes the package to the given folder, by default the current folder. Run `npm run build` first.
//
//     node scripts/core-package.js [folder]
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.js';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { version, license, keywords, engines, peerDependencies, peerDependenciesMeta, dependencies } =
  manifest;
const folder = mkdtempSync(join(tmpdir(), 'natspoc-core-'));

try {
  await build({
    entryPoints: ['index.ts', 'testing/index.ts'].map((name) => join(root, 'src/core', name)),
    outbase: join(root, 'src/core'),
    outdir: join(folder, 'dist'),
    ...BUNDLING,
  });
  cpSync(join(root, 'dist/core'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !/\.js(\.map)?$/.test(path),
  });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  // Only the package natspoc contains the documents, so the changelog names them without links.
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const named = changelog.replace(/\[([^\]]+)\]\((docs\/[^)#]+)(#[^)]*)?\)/g, '$1 (`$2` of natspoc)');
  writeFileSync(join(folder, 'CHANGELOG.md'), named);
  cpSync(join(root, 'scripts/core-package.md'), join(folder, 'README.md'));
  const core = {
    name: 'natspoc-core',
    version,
    description:
      'Partitioned, ordered, self-balancing consumption of NATS JetStream: the library of natspoc.',
    license,
    type: 'module',
    keywords: keywords.filter((word) => word !== 'cli'),
    exports: {
      '.': {
        require: { types: './dist/index.d.cts', default: './dist/index.js' },
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
      './testing': {
        require: { types: './dist/testing/index.d.cts', default: './dist/testing/index.js' },
        types: './dist/testing/index.d.ts',
        default: './dist/testing/index.js',
      },
      './package.json': './package.json',
    },
    files: ['dist', 'CHANGELOG.md'],
    engines,
    dependencies: { nats: dependencies.nats },
    // prom-client is needed only for the metrics of `health`.
    peerDependencies: { ...peerDependencies, 'prom-client': dependencies['prom-client'] },
    peerDependenciesMeta: { ...peerDependenciesMeta, 'prom-client': { optional: true } },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(core, null, 2)}\n`);
  const target = resolve(process.argv[2] ?? '.');
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', target], {
    cwd: folder,
    encoding: 'utf8',
  });
  const [{ filename, files, unpackedSize }] = JSON.parse(packed);
  console.log(`${join(target, filename)}: ${files.length} files, ${Math.round(unpackedSize / 1_000)} kB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
